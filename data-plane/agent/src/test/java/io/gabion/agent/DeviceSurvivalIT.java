package io.gabion.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.agent.fuse.Privileges;
import io.gabion.agent.nbd.Clients;
import io.gabion.agent.nbd.TestAuthority;
import io.gabion.model.ClusterId;
import io.gabion.protocol.control.v1.AgentAttachment;
import io.gabion.protocol.control.v1.AttachRequest;
import io.gabion.protocol.control.v1.AttachResponse;
import io.gabion.protocol.control.v1.DetachRequest;
import io.gabion.protocol.control.v1.DeviceKind;
import io.gabion.protocol.control.v1.FailRequest;
import io.gabion.protocol.control.v1.ListAttachmentsRequest;
import io.gabion.protocol.control.v1.NodeAddress;
import io.gabion.protocol.control.v1.ResizeRequest;
import io.gabion.protocol.control.v1.UpdateNodesRequest;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Block devices while their agent is killed, replaced and fenced; storage nodes that keep everything in memory. */
@Timeout(180)
class DeviceSurvivalIT {
    private static final ClusterId CLUSTER = new ClusterId(new UUID(1, 2));

    private static final int LOAD_END_SECONDS = 120;

    @TempDir
    Path directory;

    private TestAuthority authority;
    private FakeCluster nodes;
    private Path program;
    private Path shared;
    private final List<SupervisedAgent> agents = new ArrayList<>();
    private final List<ManagedChannel> channels = new ArrayList<>();
    private final List<Path> mounted = new ArrayList<>();

    @BeforeEach
    void start() throws Exception {
        Privileges.requireDevices();
        program = SupervisedAgent.compileSupervisor(directory);
        shared = Files.createDirectories(directory.resolve("run"));
        authority = TestAuthority.create(directory.resolve("ca"));
        authority.issue("agent-1", "spiffe://" + CLUSTER + "/agent/agent-1");
        nodes = new FakeCluster(authority, CLUSTER, 3);
    }

    @AfterEach
    void stop() throws Exception {
        for (Path path : mounted) {
            // Whoever is still in it after a failure must not keep the device.
            Clients.run("umount", "-l", path.toString());
        }
        channels.forEach(ManagedChannel::shutdownNow);
        for (SupervisedAgent agent : agents.reversed()) {
            agent.close();
        }
        if (nodes != null) {
            Clients.run("umount", "-l", mountPoint().toString());
            nodes.close();
        }
    }

    private Path mountPoint() {
        return shared.resolve("devices/" + nodes.volume);
    }

    private SupervisedAgent startAgent(String name) throws IOException {
        return startAgent(name, "--fuse-resend=auto");
    }

    private SupervisedAgent startAgent(String name, String resend) throws IOException {
        SupervisedAgent agent = new SupervisedAgent(
                program,
                shared,
                name,
                List.of(
                        "--name=agent-1",
                        "--cluster=" + CLUSTER,
                        "--certificate=" + authority.certificate("agent-1"),
                        "--key=" + authority.key("agent-1"),
                        "--ca=" + authority.authorities(),
                        "--socket-directory=" + shared,
                        "--metrics-listen=127.0.0.1:0",
                        resend,
                        "--loops=1"));
        agents.add(agent);
        return agent;
    }

    private ManagedChannel channel(SupervisedAgent agent) {
        ManagedChannel channel = agent.channel();
        channels.add(channel);
        return channel;
    }

    private NodeAddress address(int number, int port) {
        return NodeAddress.newBuilder()
                .setNode("node-" + number)
                .setHost("127.0.0.1")
                .setDataPort(port)
                .build();
    }

    private List<NodeAddress> addresses() {
        List<NodeAddress> result = new ArrayList<>();
        for (InetSocketAddress address : nodes.addresses()) {
            result.add(address(result.size() + 1, address.getPort()));
        }
        return result;
    }

    private AttachRequest request(List<NodeAddress> addresses) {
        return AttachRequest.newBuilder()
                .setVolume(nodes.volume.toString())
                .setExportName("vol1")
                .setGeneration(1)
                .addAllNodes(addresses)
                .setDevice(DeviceKind.DEVICE_KIND_FUSE_LOOP)
                .build();
    }

    private static AgentAttachment only(ManagedChannel channel) {
        return SupervisedAgent.control(channel)
                .listAttachments(ListAttachmentsRequest.getDefaultInstance())
                .getAttachments(0);
    }

    private void detach(ManagedChannel channel, String device) throws IOException {
        DetachRequest detach =
                DetachRequest.newBuilder().setVolume(nodes.volume.toString()).build();
        SupervisedAgent.control(channel).detach(detach);
        assertThat(Path.of("/sys/block/" + device.substring("/dev/".length()) + "/loop"))
                .doesNotExist();
        assertThat(mounts()).doesNotContain(nodes.volume.toString());
        assertThat(mountPoint()).doesNotExist();
    }

    private static String mounts() throws IOException {
        return Files.readString(Path.of("/proc/mounts"));
    }

    private static CompletableFuture<Clients.Result> fio(String device, int seconds) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return Clients.run(
                        "fio",
                        "--name=survival",
                        "--ioengine=libaio",
                        "--direct=1",
                        "--filename=" + device,
                        "--rw=randwrite",
                        "--bs=16k",
                        "--iodepth=16",
                        "--size=32m",
                        "--time_based",
                        "--runtime=" + seconds,
                        "--verify=crc32c",
                        "--verify_backlog=256",
                        "--serialize_overlap=1",
                        "--verify_fatal=1",
                        "--output-format=json");
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private static boolean endsWithin(CompletableFuture<?> task, long millis) throws InterruptedException {
        try {
            task.get(millis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException stillRuns) {
            return false;
        } catch (ExecutionException failed) {
            return true;
        }
        return true;
    }

    /** Kills until the load ends, at most so often; returns how often. */
    private static int killUntilDone(SupervisedAgent agent, CompletableFuture<?> load, long betweenMillis, int most)
            throws Exception {
        int kills = 0;
        while (kills < most && !endsWithin(load, betweenMillis)) {
            agent.kill();
            kills++;
            agent.awaitReady();
        }
        endsWithin(load, TimeUnit.SECONDS.toMillis(LOAD_END_SECONDS));
        return kills;
    }

    /** For people: what the client noticed. */
    private static void report(String what, int times, Clients.Result result) {
        Matcher written = Pattern.compile(
                        "\"write\" : \\{.*?\"total_ios\" : ([0-9]+).*?\"lat_ns\" : \\{.*?\"max\" : ([0-9]+)",
                        Pattern.DOTALL)
                .matcher(result.output());
        System.out.println(what + " " + times + " times: fio ended with " + result.exitCode()
                + (written.find()
                        ? ", " + written.group(1) + " writes, the longest took "
                                + TimeUnit.NANOSECONDS.toMillis(Long.parseLong(written.group(2))) + " ms"
                        : ""));
    }

    @Test
    @Tag("long")
    void killedAgentIsAPauseForAFileSystem() throws Exception {
        SupervisedAgent agent = startAgent("first");
        agent.awaitReady();
        ManagedChannel channel = channel(agent);
        AttachResponse attached = SupervisedAgent.control(channel).attach(request(addresses()));
        String device = attached.getDevicePath();
        assertThat(device).startsWith("/dev/loop");
        Clients.succeed("mkfs.ext4", "-q", "-F", device);
        Path files = Files.createDirectories(directory.resolve("files"));
        Clients.succeed("mount", device, files.toString());
        mounted.add(files);
        Path sources = directory.resolve("src");
        Clients.succeed("cp", "-r", Path.of("src").toAbsolutePath().toString(), sources.toString());
        CompletableFuture<String> copies = CompletableFuture.supplyAsync(() -> {
            try {
                return Clients.succeed(
                        "sh",
                        "-e",
                        "-c",
                        "for i in 1 2 3 4 5 6 7 8; do cp -r " + sources + " " + files + "/$i; sync -f " + files
                                + "; sleep 0.5; done");
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        int kills = killUntilDone(agent, copies, 700, 4);
        copies.join();
        assertThat(kills).isPositive();
        for (int i = 1; i <= 8; i++) {
            Clients.succeed(
                    "diff",
                    "-r",
                    sources.toString(),
                    files.resolve(Integer.toString(i)).toString());
        }
        agent.awaitReady();
        assertThat(only(channel).getDevicePath()).isEqualTo(device);
        assertThat(SupervisedAgent.control(channel).attach(request(addresses())).getDevicePath())
                .isEqualTo(device);
        Clients.succeed("umount", files.toString());
        mounted.clear();
        Clients.succeed("e2fsck", "-f", "-n", device);
        detach(channel, device);
    }

    @Test
    void killedAgentIsAPauseForDirectWrites() throws Exception {
        killsUnderFio(8, "--fuse-resend=auto");
    }

    @Test
    @Tag("long")
    void killedAgentIsAPauseAlsoWhereTheKernelSendsNothingAgain() throws Exception {
        killsUnderFio(12, "--fuse-resend=never");
    }

    @Test
    @Tag("faults")
    void agentKilledAgainAndAgainIsOnlyPauses() throws Exception {
        killsUnderFio(60, "--fuse-resend=auto");
        killsUnderFio(60, "--fuse-resend=never");
    }

    private void killsUnderFio(int seconds, String resend) throws Exception {
        SupervisedAgent agent = startAgent("first" + resend, resend);
        agent.awaitReady();
        ManagedChannel channel = channel(agent);
        String device =
                SupervisedAgent.control(channel).attach(request(addresses())).getDevicePath();
        CompletableFuture<Clients.Result> fio = fio(device, seconds);
        int kills = killUntilDone(agent, fio, 1_000, Integer.MAX_VALUE);
        report("agent killed", kills, fio.join());
        assertThat(fio.join().exitCode())
                .as("%s\n%s", fio.join().output(), agent.log())
                .isZero();
        assertThat(kills).isPositive();
        agent.awaitReady();
        detach(channel, device);
    }

    @Test
    void successorTakesTheDevicesOverUnderLoad() throws Exception {
        SupervisedAgent agent = startAgent("agent-0");
        agent.awaitReady();
        String device = SupervisedAgent.control(channel(agent))
                .attach(request(addresses()))
                .getDevicePath();
        CompletableFuture<Clients.Result> fio = fio(device, 12);
        int times = 0;
        while (!endsWithin(fio, 500)) {
            times++;
            SupervisedAgent successor = startAgent("agent-" + times);
            successor.awaitReady();
            assertThat(agent.process()).as("%s", agent.log()).isEmpty();
            assertThat(agent.terminate()).isZero();
            agent = successor;
        }
        report("agent replaced", times, fio.join());
        assertThat(fio.join().exitCode())
                .as("%s\n%s", fio.join().output(), agent.log())
                .isZero();
        assertThat(times).isPositive();
        assertThat(only(channel(agent)).getDevicePath()).isEqualTo(device);
        agent.kill();
        agent.awaitReady();
        detach(channel(agent), device);
    }

    @Test
    void fencedVolumeFailsItsDeviceAlsoAfterARestart() throws Exception {
        SupervisedAgent agent = startAgent("first");
        agent.awaitReady();
        ManagedChannel channel = channel(agent);
        String device =
                SupervisedAgent.control(channel).attach(request(addresses())).getDevicePath();
        Clients.succeed("dd", "if=/dev/zero", "of=" + device, "bs=4k", "count=1", "oflag=direct", "status=none");
        SupervisedAgent.control(channel)
                .fail(FailRequest.newBuilder()
                        .setVolume(nodes.volume.toString())
                        .setReason("fenced by the test")
                        .build());
        long before = System.nanoTime();
        assertFails(device);
        assertThat(System.nanoTime() - before).isLessThan(TimeUnit.SECONDS.toNanos(1));
        assertThat(only(channel).getState()).isEqualTo("fenced");
        assertThat(only(channel).getReason()).isEqualTo("fenced by the test");
        agent.kill();
        agent.awaitReady();
        assertThat(only(channel).getState()).isEqualTo("fenced");
        assertThat(only(channel).getDevicePath()).isEqualTo(device);
        assertFails(device);
        detach(channel, device);
    }

    @Test
    void deviceThatEndedWithItsSupervisorIsForgottenAndCanBeMadeAgain() throws Exception {
        SupervisedAgent agent = startAgent("first", "--fuse-resend=never");
        agent.awaitReady();
        SupervisedAgent.control(channel(agent)).attach(request(addresses()));
        assertThat(agent.terminate()).isEqualTo(128 + 15);
        assertThat(mounts()).as("what a pod that is deleted leaves").contains(nodes.volume.toString());
        SupervisedAgent second = startAgent("second");
        second.awaitReady();
        ManagedChannel channel = channel(second);
        assertThat(SupervisedAgent.control(channel)
                        .listAttachments(ListAttachmentsRequest.getDefaultInstance())
                        .getAttachmentsList())
                .isEmpty();
        assertThat(mounts()).doesNotContain(nodes.volume.toString());
        assertThat(mountPoint()).doesNotExist();
        assertThat(shared.resolve("devices-requests")).isEmptyDirectory();
        String device =
                SupervisedAgent.control(channel).attach(request(addresses())).getDevicePath();
        Clients.succeed("dd", "if=/dev/zero", "of=" + device, "bs=4k", "count=1", "oflag=direct", "status=none");
        detach(channel, device);
    }

    @Test
    @Tag("long")
    void volumeThatAnotherAgentTookOverTakesItsFileSystemAlong() throws Exception {
        SupervisedAgent agent = startAgent("first");
        agent.awaitReady();
        ManagedChannel channel = channel(agent);
        String device =
                SupervisedAgent.control(channel).attach(request(addresses())).getDevicePath();
        Clients.succeed("mkfs.ext4", "-q", "-F", device);
        Path files = Files.createDirectories(directory.resolve("files"));
        Clients.succeed("mount", device, files.toString());
        mounted.add(files);
        Path file = Files.writeString(files.resolve("file"), "out of date soon");
        Clients.succeed("sync", "-f", files.toString());
        nodes.fence();
        assertThat(Files.readString(file)).as("from the page cache").isEqualTo("out of date soon");
        Clients.run("dd", "if=/dev/zero", "of=" + files.resolve("other"), "bs=4k", "count=1", "oflag=direct");
        long learned = System.nanoTime();
        while (isReadable(file)) {
            assertThat(System.nanoTime() - learned).isLessThan(TimeUnit.SECONDS.toNanos(5));
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
        Clients.succeed("umount", files.toString());
        mounted.clear();
        detach(channel, device);
    }

    private static boolean isReadable(Path file) {
        try {
            Files.readString(file);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static void assertFails(String device) throws Exception {
        Clients.Result read = Clients.run("dd", "if=" + device, "of=/dev/null", "bs=4k", "count=1", "iflag=direct");
        assertThat(read.output()).contains("Input/output error");
        Clients.Result write = Clients.run("dd", "if=/dev/zero", "of=" + device, "bs=4k", "count=1", "oflag=direct");
        assertThat(write.output()).contains("Input/output error");
    }

    @Test
    void growthReachesAnOpenDevice() throws Exception {
        SupervisedAgent agent = startAgent("first");
        agent.awaitReady();
        ManagedChannel channel = channel(agent);
        String device =
                SupervisedAgent.control(channel).attach(request(addresses())).getDevicePath();
        CompletableFuture<Clients.Result> fio = fio(device, 3);
        int grown = FakeCluster.SIZE + (16 << 20);
        CompletableFuture<Void> growing = CompletableFuture.runAsync(() -> nodes.grow(grown));
        ResizeRequest resize = ResizeRequest.newBuilder()
                .setVolume(nodes.volume.toString())
                .setAtLeastBytes(grown)
                .build();
        assertThat(SupervisedAgent.control(channel).resize(resize).getSizeBytes())
                .isEqualTo(grown);
        growing.join();
        assertThat(Clients.succeed("blockdev", "--getsize64", device).strip()).isEqualTo(Integer.toString(grown));
        assertThat(fio.join().exitCode()).as("%s", fio.join().output()).isZero();
        Clients.succeed(
                "dd",
                "if=/dev/zero",
                "of=" + device,
                "bs=1M",
                "count=1",
                "seek=" + (FakeCluster.SIZE >> 20),
                "oflag=direct",
                "status=none");
        detach(channel, device);
    }

    @Test
    @Tag("long")
    void openSessionFollowsNodesToOtherAddresses() throws Exception {
        SupervisedAgent agent = startAgent("first");
        agent.awaitReady();
        ManagedChannel channel = channel(agent);
        List<NodeAddress> right = addresses();
        // The second node is somewhere else, the third one joins later.
        int nobody = right.getFirst().getDataPort();
        List<NodeAddress> wrong = List.of(right.getFirst(), address(2, nobody));
        String device = SupervisedAgent.control(channel).attach(request(wrong)).getDevicePath();
        CompletableFuture<Clients.Result> fio = fio(device, 6);
        endsWithin(fio, 500);
        nodes.failOver();
        endsWithin(fio, 300);
        assertThat(only(channel).getState()).isEqualTo("reopening");
        List<NodeAddress> two = right.subList(0, 2);
        SupervisedAgent.control(channel)
                .updateNodes(UpdateNodesRequest.newBuilder().addAllNodes(two).build());
        endsWithin(fio, 1_000);
        assertThat(only(channel).getPrimaryNode()).isEqualTo("node-2");
        SupervisedAgent.control(channel)
                .updateNodes(UpdateNodesRequest.newBuilder().addAllNodes(right).build());
        nodes.failOver();
        endsWithin(fio, 1_500);
        assertThat(only(channel).getPrimaryNode()).isEqualTo("node-3");
        assertThat(fio.join().exitCode()).as("%s", fio.join().output()).isZero();
        // A restarted agent knows them, too.
        agent.kill();
        agent.awaitReady();
        Clients.succeed("dd", "if=" + device, "of=/dev/null", "bs=4k", "count=1", "iflag=direct", "status=none");
        assertThat(only(channel).getPrimaryNode()).isEqualTo("node-3");
        detach(channel, device);
    }
}
