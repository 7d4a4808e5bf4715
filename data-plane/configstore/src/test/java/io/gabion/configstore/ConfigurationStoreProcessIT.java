package io.gabion.configstore;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.ControlChannels;
import io.gabion.protocol.control.ControlCodec;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.TestCertificates;
import io.gabion.protocol.control.v1.ConfigurationStoreGrpc;
import io.gabion.protocol.control.v1.ListVolumesRequest;
import io.gabion.protocol.control.v1.SwapResult;
import io.gabion.protocol.control.v1.SwapVolumeRequest;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program as it ships, ended by kill -9. */
class ConfigurationStoreProcessIT {
    private static final Pattern SERVES = Pattern.compile("serves 127\\.0\\.0\\.1:(\\d+)");
    private static final int KILLS = 4;
    private static final int WRITERS = 6;

    @TempDir
    Path directory;

    private TestCertificates certificates;

    @BeforeEach
    void certificates() throws IOException {
        certificates = TestCertificates.create(directory.resolve("tls"), TestRecords.CLUSTER);
        certificates.issue(ControlRole.CONFIGURATION_STORE, "store");
    }

    @Test
    void noAcknowledgedSwapIsLostByKill9() throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        Map<String, Long> acknowledged = new ConcurrentHashMap<>();
        Map<String, Long> attempted = new ConcurrentHashMap<>();
        for (int round = 0; round < KILLS; round++) {
            Process process = startStore();
            try {
                int port = portOf(process);
                CountDownLatch enough = new CountDownLatch(20 + random.nextInt(200));
                writeUntilKilled(process, port, round, enough, acknowledged, attempted);
            } finally {
                process.destroyForcibly().waitFor();
            }
        }
        Process process = startStore();
        try {
            Map<String, Long> found = list(portOf(process));
            System.out.println("acknowledged " + acknowledged.size() + " volumes, found " + found.size());
            acknowledged.forEach((id, version) -> {
                assertThat(found).containsKey(id);
                assertThat(found.get(id)).isGreaterThanOrEqualTo(version);
            });
            found.forEach((id, version) -> assertThat(version).isLessThanOrEqualTo(attempted.getOrDefault(id, 0L)));
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void aPortInUseEndsTheProgramWithCode1AndTheAddress() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Process process = start("--listen", "127.0.0.1:" + taken.getLocalPort());
            String output =
                    new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
            assertThat(process.waitFor()).isEqualTo(1);
            assertThat(output).contains("127.0.0.1:" + taken.getLocalPort()).contains("in use");
        }
    }

    @Test
    void aMistypedOptionEndsTheProgramWithCode2AndTheNearestOne() throws Exception {
        Process process = start("--listn", "127.0.0.1:0");
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isEqualTo(2);
        assertThat(output).contains("unknown option \"--listn\"; did you mean --listen?");
    }

    private void writeUntilKilled(
            Process process,
            int port,
            int round,
            CountDownLatch enough,
            Map<String, Long> acknowledged,
            Map<String, Long> attempted)
            throws Exception {
        ManagedChannel channel = channel(port);
        try {
            var stub = ConfigurationStoreGrpc.newBlockingStub(channel);
            AtomicInteger number = new AtomicInteger();
            List<Thread> writers = new ArrayList<>();
            for (int i = 0; i < WRITERS; i++) {
                writers.add(Thread.ofPlatform().start(() -> {
                    try {
                        while (true) {
                            String name = "v" + round + "-" + number.incrementAndGet();
                            writeOne(stub, TestRecords.volume(name, "n1", "n2", "n3"), acknowledged, attempted);
                            enough.countDown();
                        }
                    } catch (StatusRuntimeException e) {
                        // The store was killed.
                        return;
                    }
                }));
            }
            assertThat(enough.await(30, TimeUnit.SECONDS)).isTrue();
            process.destroyForcibly().waitFor();
            for (Thread writer : writers) {
                writer.join();
            }
        } finally {
            channel.shutdownNow();
        }
    }

    private static void writeOne(
            ConfigurationStoreGrpc.ConfigurationStoreBlockingStub stub,
            VolumeRecord volume,
            Map<String, Long> acknowledged,
            Map<String, Long> attempted) {
        VolumeRecord next = volume;
        for (long expected = 0; expected < 3; expected++) {
            attempted.put(volume.id().toString(), expected + 1);
            var answer = stub.withDeadlineAfter(10, TimeUnit.SECONDS)
                    .swapVolume(SwapVolumeRequest.newBuilder()
                            .setExpectedVersion(expected)
                            .setNext(ControlCodec.toProto(next))
                            .build());
            assertThat(answer.getResult()).isEqualTo(SwapResult.SWAP_RESULT_WON);
            acknowledged.put(volume.id().toString(), expected + 1);
            next = next.withConfig(next.config().withNextVersion("n1/" + expected));
        }
    }

    private Map<String, Long> list(int port) throws IOException {
        ManagedChannel channel = channel(port);
        try {
            Map<String, Long> found = new HashMap<>();
            ConfigurationStoreGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(10, TimeUnit.SECONDS)
                    .listVolumes(ListVolumesRequest.getDefaultInstance())
                    .getRecordsList()
                    .forEach(r -> found.put(r.getId(), r.getConfig().getVersion()));
            return found;
        } finally {
            channel.shutdownNow();
        }
    }

    private ManagedChannel channel(int port) throws IOException {
        return ControlChannels.secure(
                "127.0.0.1",
                port,
                certificates.issue(ControlRole.OPERATOR, "ops"),
                Set.of(ControlRole.CONFIGURATION_STORE));
    }

    private Process startStore() throws IOException {
        return start("--listen", "127.0.0.1:0");
    }

    private Process start(String... more) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                ConfigurationStoreServer.class.getName(),
                "--data",
                directory.resolve("data").toString(),
                "--cluster",
                TestRecords.CLUSTER.toString(),
                "--certificate",
                certificates.certificate("store").toString(),
                "--key",
                certificates.key("store").toString(),
                "--ca",
                certificates.ca().toString()));
        command.addAll(List.of(more));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static int portOf(Process process) throws IOException {
        BufferedReader lines = process.inputReader();
        StringBuilder seen = new StringBuilder();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            seen.append(line).append('\n');
            Matcher serves = SERVES.matcher(line);
            if (serves.find()) {
                return Integer.parseInt(serves.group(1));
            }
        }
        throw new IOException("the store ended: " + seen);
    }
}
