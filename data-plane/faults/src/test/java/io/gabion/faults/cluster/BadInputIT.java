package io.gabion.faults.cluster;

import static io.gabion.faults.cluster.TestSeeds.report;
import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.faults.nbd.NbdAddress;
import io.gabion.faults.nbd.NbdClient;
import io.gabion.faults.nbd.NbdReply;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is wrong is refused with the name of the field or the peer, and nothing else suffers. */
@Tag("faults")
@Tag("bad-input")
@Timeout(240)
class BadInputIT {
    private static final Duration END = Duration.ofSeconds(30);
    private static final int ENOSPC = 28;
    private static final int CHUNK_BYTES = 256 << 10;
    /** Small enough to fill quickly, large enough for the disk's own structures. */
    private static final String SMALL = "192MiB";

    private static ClusterFixture cluster;

    @BeforeAll
    static void start() throws IOException {
        cluster = ClusterFixture.start(ClusterSpec.named("bad-input").withCapacity(SMALL));
        cluster.commands().createVolume("sound", "16MiB");
    }

    @AfterAll
    static void end() throws IOException {
        if (cluster == null) {
            return;
        }
        try (ClusterFixture closing = cluster) {
            for (String node : closing.nodes()) {
                assertThat(closing.isRunning(node)).as("%s is still up", node).isTrue();
            }
            assertThat(closing.commands().verify("sound")).contains("replicas identical");
            closing.passed();
        }
    }

    private static void assertRefused(CommandResult result, String... parts) {
        assertThat(result.exitCode()).as(result.toString()).isNotZero();
        assertThat(result.text()).contains(parts).doesNotContain("Exception");
    }

    @Test
    void volumesThatCannotBeAreRefusedByTheNameOfTheOption() throws IOException {
        assertRefused(cluster.commands().gabion("volume", "create", "v", "--size", "0"), "--size");
        assertRefused(cluster.commands().gabion("volume", "create", "v", "--size", "5000"), "--size", "4096");
        assertRefused(
                cluster.commands().gabion("volume", "create", "v", "--size", "16MiB", "--replicas", "4"),
                "--replicas",
                "3");
        assertRefused(cluster.commands().gabion("volume", "create", "sound", "--size", "16MiB"), "sound");
        assertRefused(cluster.commands().gabion("volume", "describe", "nobody"), "nobody");
        assertRefused(
                cluster.commands().gabion("volume", "attach", "nobody", "--node", ClusterFixture.AGENT), "nobody");
    }

    @Test
    void unknownOptionsNameTheNearestOne() throws IOException {
        assertRefused(cluster.commands().gabion("volume", "create", "v", "--sise", "16MiB"), "--sise", "--size");
        assertRefused(cluster.commands().gabion("volum", "list"), "volume");
        List<String> arguments = new ArrayList<>(cluster.nodeArguments("n1"));
        arguments.set(arguments.indexOf("--capacity"), "--capasity");
        assertEnds(arguments, "--capasity", "--capacity");
    }

    @Test
    void aPortInUseIsNamed() throws IOException {
        List<String> arguments = ownNode("n1", "port-in-use");
        with(arguments, "--control-listen", "127.0.0.1:" + cluster.controlPort("n2"));
        assertEnds(arguments, Integer.toString(cluster.controlPort("n2")));
    }

    @Test
    void aNodeWithTheCertificateOfAnotherClusterIsRefused() throws IOException {
        Path tls = cluster.directory().resolve("other-tls");
        String other = UUID.randomUUID().toString();
        cluster.makeCertificates(tls, other, List.of("node/n1"));
        List<String> arguments = ownNode("n1", "other-cluster");
        with(arguments, "--certificate", tls.resolve("node-n1.pem").toString());
        with(arguments, "--key", tls.resolve("node-n1.key").toString());
        ManagedProcess process = cluster.launchNode("other-cluster", arguments);
        // Its own certificate does not fit its --cluster: it must say so; it never joins either way.
        Waiting.until(
                "the foreign node is told why",
                END,
                () -> process.lastLines(200).matches("(?s).*(certificate|cluster).*"),
                () -> process.lastLines(20));
        assertThat(process.endsWithin(END)).as(process.lastLines(20)).isTrue();
        report("bad input: other cluster's certificate: %s", lastOf(process));
    }

    @Test
    void aDiskOfAnotherClusterIsRefusedAndLeftAlone() throws IOException {
        try (ClusterFixture other =
                ClusterFixture.start(ClusterSpec.named("foreign-disk").withCapacity(SMALL))) {
            other.stop("n1");
            List<String> arguments = ownNode("n1", "unused");
            Path foreign = other.directory().resolve("n1");
            with(arguments, "--data", foreign.toString());
            assertEnds(arguments, "cluster");
            other.start("n1");
            other.passed();
        }
    }

    @Test
    void aFullDiskIsAPauseWithAReasonAndTrimmingEndsIt() throws IOException {
        cluster.commands().createVolume("stall", "1GiB");
        NbdAddress address = cluster.commands().attach("stall");
        try (NbdClient client = NbdClient.connect(address)) {
            long filled = fillUntilWritesWait(client);
            Waiting.until("a stall reason", END, () -> !stallReason("stall").isEmpty());
            report("bad input: disk full after %d MiB: %s", filled >> 20, stallReason("stall"));
            assertThat(answer("a read on a full disk", client.read(0, 4096))).isInstanceOf(NbdReply.Done.class);
            CompletableFuture<NbdReply> waiting = client.write(filled, ByteBuffer.allocate(4096), false);
            // Half of it: what trimming frees comes back in time, and in all three copies.
            for (long at = 0; at < filled / 2; at += CHUNK_BYTES) {
                assertThat(answer("a trim on a full disk", client.trim(at, CHUNK_BYTES)))
                        .isInstanceOf(NbdReply.Done.class);
            }
            Waiting.until("the waiting write", Duration.ofMinutes(1), waiting::isDone, () -> stallReason("stall"));
            assertThat(waiting.join()).isInstanceOf(NbdReply.Done.class);
            Waiting.until("all writes", Duration.ofMinutes(1), () -> client.outstanding() == 0);
            assertThat(stallReason("stall")).isEmpty();
        } finally {
            drop("stall");
        }
    }

    @Test
    void aFullDiskIsAnErrorWhereTheVolumeWasMadeSo() throws IOException {
        cluster.commands().createVolume("error", "1GiB", "--on-pool-full", "error");
        NbdAddress address = cluster.commands().attach("error");
        try (NbdClient client = NbdClient.connect(address)) {
            NbdReply reply = new NbdReply.Done(ByteBuffer.allocate(0));
            long at = 0;
            for (; reply instanceof NbdReply.Done && at < client.sizeBytes(); at += CHUNK_BYTES) {
                reply = answer("a write", client.write(at, chunk(at), false));
            }
            assertThat(reply).isEqualTo(new NbdReply.Failed(ENOSPC));
            report("bad input: ENOSPC after %d MiB", at >> 20);
            assertThat(answer("a read on a full disk", client.read(0, 4096))).isInstanceOf(NbdReply.Done.class);
        } finally {
            drop("error");
        }
    }

    private static NbdReply answer(String what, CompletableFuture<NbdReply> answer) {
        Waiting.until(what, Duration.ofMinutes(1), answer::isDone);
        return answer.join();
    }

    /** Writes until no answer came for a while; returns how far. The last writes stay outstanding. */
    private static long fillUntilWritesWait(NbdClient client) {
        long at = 0;
        while (at < client.sizeBytes()) {
            CompletableFuture<NbdReply> answer = client.write(at, chunk(at), false);
            at += CHUNK_BYTES;
            if (!Waiting.happens(Duration.ofSeconds(5), answer::isDone)) {
                return at;
            }
            assertThat(answer.join()).isInstanceOf(NbdReply.Done.class);
        }
        throw new IllegalStateException("a volume of 1 GiB fits a disk of " + SMALL);
    }

    private static ByteBuffer chunk(long offset) {
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
        for (int i = 0; i < CHUNK_BYTES; i += Long.BYTES) {
            chunk.putLong(i, offset + i + 1);
        }
        return chunk;
    }

    private static String stallReason(String volume) {
        try {
            return cluster.commands().describe(volume).stallReason();
        } catch (IOException e) {
            return "";
        }
    }

    private static void drop(String volume) throws IOException {
        cluster.commands().gabion("volume", "detach", volume, "--force").orThrow();
        cluster.commands().gabion("volume", "delete", volume, "--yes").orThrow();
    }

    /** Options of a node that exists, with a directory and ports of its own. */
    private static List<String> ownNode(String node, String directory) {
        List<String> arguments = new ArrayList<>(cluster.nodeArguments(node));
        with(arguments, "--data", cluster.directory().resolve(directory).toString());
        with(arguments, "--data-listen", "127.0.0.1:0");
        with(arguments, "--control-listen", "127.0.0.1:0");
        with(arguments, "--metrics-listen", "127.0.0.1:0");
        return arguments;
    }

    private static void with(List<String> arguments, String option, String value) {
        arguments.set(arguments.indexOf(option) + 1, value);
    }

    private static void assertEnds(List<String> arguments, String... parts) throws IOException {
        ManagedProcess process = cluster.launchNode("refused-" + UUID.randomUUID(), arguments);
        assertThat(process.endsWithin(END)).as(process.lastLines(20)).isTrue();
        assertThat(process.exitValue()).isNotZero();
        assertThat(process.lastLines(50)).contains(parts);
        report("bad input: %s", lastOf(process));
    }

    private static String lastOf(ManagedProcess process) {
        // The message of a process that cannot start begins with its name; a usage text follows it.
        return process.lastLines(20)
                .lines()
                .filter(line -> line.startsWith("gabion-node:"))
                .reduce((first, second) -> second)
                .orElse("");
    }
}
