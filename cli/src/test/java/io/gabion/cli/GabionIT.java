package io.gabion.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.gabion.process.testing.Waiting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The command against a real configuration store, with nodes and an agent that only pretend. */
class GabionIT extends CommandFixture {
    private static final Path QEMU_NBD = Path.of("/usr/bin/qemu-nbd");
    private static final long START_TIMEOUT_SECONDS = 20;

    @Test
    void aVolumeLivesFromCreationToDeletion() throws IOException {
        ok("pool", "create", "default");
        ok("volume", "create", "data", "--size", "1MiB");
        JsonNode listed = json("volume", "list").get(0);
        assertThat(listed.get("name").asText()).isEqualTo("data");
        assertThat(listed.get("inSyncNodes")).hasSize(3);
        JsonNode described = json("volume", "describe", "data");
        assertThat(described.get("health").asText()).startsWith("healthy");
        assertThat(described.get("inSync")).hasSize(3);
        String primary = described.get("primaryNode").asText();
        String other = primary.equals("n1") ? "n2" : "n1";
        ok("volume", "handover", "data", "--to", other);
        assertThat(json("volume", "describe", "data").get("primaryNode").asText())
                .isEqualTo(other);
        ok("node", "handover", other);
        assertThat(json("volume", "describe", "data").get("primaryNode").asText())
                .isNotEqualTo(other);
        ok("volume", "resize", "data", "--size", "2MiB");
        assertThat(json("volume", "describe", "data").get("sizeBytes").asLong()).isEqualTo(2 << 20);
        assertThat(ok("volume", "attach", "data", "--node", "agent-1").out()).startsWith("nbd+unix:///data?socket=");
        assertThat(agent.attached.values()).singleElement().satisfies(a -> assertThat(a.getNodesList())
                .hasSize(3));
        assertThat(fails("volume", "delete", "data", "--yes")).contains("attached to agent-1");
        ok("volume", "detach", "data");
        assertThat(agent.attached).isEmpty();
        ok("volume", "delete", "data", "--yes");
        assertThat(json("volume", "list")).isEmpty();
    }

    @Test
    void verifyNamesTheRegionAndTheReplicaThatDiffers() throws IOException {
        create();
        assertThat(ok("volume", "verify", "data").out())
                .contains("replicas identical")
                .contains("digest-7");
        nodes.get(1).content = 8;
        Outcome differing = run("volume", "verify", "data");
        assertThat(differing.exit()).isEqualTo(1);
        assertThat(differing.out())
                .contains("REPLICAS DIFFER")
                .contains("region 0")
                .contains("[n2]");
        nodes.get(1).close();
        Outcome unreadable = run("volume", "verify", "data");
        assertThat(unreadable.exit()).isEqualTo(1);
        assertThat(unreadable.out())
                .contains("n2")
                .contains("cannot be reached")
                .doesNotContain("replicas identical");
    }

    @Test
    void describeSaysWhyWritesWaitAndMarksWhoDoesNotAnswer() throws IOException {
        create();
        String primary = json("volume", "describe", "data").get("primaryNode").asText();
        int index = Integer.parseInt(primary.substring(1)) - 1;
        nodes.get(index).stallReason = "a replica does not acknowledge";
        FakeNode gone = nodes.get((index + 1) % 3);
        gone.close();
        String text = ok("volume", "describe", "data").out();
        assertThat(text.lines().findFirst().orElseThrow())
                .contains("writes wait since")
                .contains("a replica does not acknowledge, for n2")
                .contains("does not answer");
        assertThat(text).contains("unreachable").contains("cannot be reached");
        assertThat(ok("node", "list").out()).contains("unreachable").contains("serving");
    }

    @Test
    void badInputIsAnsweredInOneLineThatNamesOptionAndRemedy() throws IOException {
        assertThat(fails("volume", "create", "data", "--size", "1MiB")).contains("gabion pool create default");
        ok("pool", "create", "default");
        assertThat(usage("volume", "create", "data", "--size", "0")).contains("--size");
        assertThat(usage("volume", "create", "data", "--size", "5000"))
                .contains("--size")
                .contains("8192");
        assertThat(usage("volume", "create", "data", "--size", "1XB"))
                .contains("--size")
                .contains("GiB");
        assertThat(usage("volume", "create", "data", "--size", "1MiB", "--replicas", "9"))
                .contains("--replicas");
        assertThat(fails("volume", "create", "data", "--size", "1MiB", "--replicas", "4"))
                .contains("--replicas")
                .contains("offers 3");
        assertThat(fails("volume", "create", "data", "--size", "1MiB", "--pool", "gold"))
                .contains("--pool")
                .contains("default");
        create();
        assertThat(fails("volume", "create", "data", "--size", "1MiB")).contains("exists already");
        assertThat(fails("volume", "describe", "dta"))
                .contains("\"dta\" does not exist")
                .contains("data");
        assertThat(usage("volume", "resize", "data", "--size", "4KiB")).contains("never shrinks");
        assertThat(usage("volume", "delete", "data")).contains("--yes");
        assertThat(usage("volume", "create", "x", "--sise", "1GiB"))
                .contains("--sise")
                .contains("mean --size?");
        assertThat(usage("volume", "create", "x", "--size=1GiB", "--repicas=2")).contains("mean --replicas?");
        assertThat(usage("volume", "create", "x", "y", "--size=1GiB")).contains("unexpected argument \"y\"");
        assertThat(usage("volume", "create", "x"))
                .contains("Missing required option")
                .contains("--size");
        assertThat(usage("volum", "list")).contains("mean volume?");
        assertThat(usage("volume", "lst")).contains("list");
        assertThat(usage("volume")).contains("create");
        assertThat(fails("volume", "handover", "data", "--to", "n9")).contains("n9");
        assertThat(fails("volume", "export", "data", directory.resolve("f").toString()))
                .contains("gabion volume attach data");
        int port = store.port();
        store.close();
        assertThat(fails("volume", "list"))
                .contains("configuration store 127.0.0.1:" + port)
                .contains("is it running");
    }

    @Test
    void aWrongContextNamesFileAndProperty() throws IOException {
        Path context = directory.resolve("bad");
        assertThat(runWith(context, "volume", "list").err())
                .contains("does not exist")
                .contains("--context");
        Files.writeString(context, "cluster=" + certificates.cluster() + "\n");
        assertThat(runWith(context, "volume", "list").err()).contains("configuration-store is missing");
        Files.writeString(
                context,
                Files.readString(directory.resolve("context"))
                        .replace(
                                certificates.cluster().toString(),
                                UUID.randomUUID().toString()));
        assertThat(runWith(context, "volume", "list").err()).contains("another cluster");
        assertThat(run("--version").out()).startsWith("gabion ").doesNotContain("$");
        assertThat(run("volume", "create", "--help").out()).contains("--size", "--replicas", "--context");
    }

    @Test
    void anImportedFileComesBackByExportAndHolesStayHoles() throws Exception {
        assumeTrue(Files.isExecutable(QEMU_NBD), "qemu-nbd is not installed");
        create();
        int size = 9 << 20;
        Path image = directory.resolve("image");
        try (var file = new java.io.RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(size);
        }
        Path socket = directory.resolve("nbd.sock");
        Process server = new ProcessBuilder(
                        QEMU_NBD.toString(), "-t", "-f", "raw", "-x", "data", "-k", socket.toString(), image.toString())
                .inheritIO()
                .start();
        try {
            Waiting.until(
                    "qemu-nbd's socket",
                    Duration.ofSeconds(START_TIMEOUT_SECONDS),
                    () -> Files.exists(socket) || !server.isAlive());
            agent.socket = socket.toString();
            ok("volume", "attach", "data", "--node", "agent-1");
            byte[] content = new byte[size];
            new Random(7).nextBytes(content);
            java.util.Arrays.fill(content, 2 << 20, 6 << 20, (byte) 0);
            Path in = Files.write(directory.resolve("in"), content);
            assertThat(ok("volume", "import", "data", in.toString()).out()).contains("9 MiB");
            assertThat(Files.readAllBytes(image)).isEqualTo(content);
            Path out = directory.resolve("out");
            ok("volume", "export", "data", out.toString());
            assertThat(Files.readAllBytes(out)).isEqualTo(content);
            assertThat(fails("volume", "export", "data", out.toString())).contains("exists");
            Files.write(in, new byte[4096]);
            assertThat(fails("volume", "import", "data", in.toString()))
                    .contains("4096")
                    .contains(String.valueOf(size));
        } finally {
            server.destroy();
            server.waitFor();
        }
    }
}
