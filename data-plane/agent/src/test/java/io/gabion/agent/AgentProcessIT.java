package io.gabion.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.agent.nbd.Clients;
import io.gabion.agent.nbd.TestAuthority;
import io.gabion.model.ClusterId;
import io.gabion.process.testing.Waiting;
import io.gabion.protocol.control.ControlChannels;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlTls;
import io.gabion.protocol.control.v1.AgentAttachment;
import io.gabion.protocol.control.v1.AgentControlGrpc;
import io.gabion.protocol.control.v1.AttachRequest;
import io.gabion.protocol.control.v1.AttachResponse;
import io.gabion.protocol.control.v1.DetachRequest;
import io.gabion.protocol.control.v1.ListAttachmentsRequest;
import io.gabion.protocol.control.v1.NodeAddress;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The whole agent between real clients and storage nodes that keep everything in memory. */
@Timeout(120)
class AgentProcessIT {
    private static final ClusterId CLUSTER = new ClusterId(new UUID(1, 2));

    @TempDir
    Path directory;

    private TestAuthority authority;
    private FakeCluster nodes;
    private AgentProcess agent;
    private ManagedChannel channel;

    @BeforeEach
    void start() throws Exception {
        authority = TestAuthority.create(directory.resolve("ca"));
        authority.issue("agent-1", "spiffe://" + CLUSTER + "/agent/agent-1");
        authority.issue("admin", "spiffe://" + CLUSTER + "/operator/admin");
        nodes = new FakeCluster(authority, CLUSTER, 2);
        startAgent();
    }

    private List<String> arguments(String... changed) {
        List<String> result = new java.util.ArrayList<>(List.of(
                "--name=agent-1",
                "--cluster=" + CLUSTER,
                "--certificate=" + authority.certificate("agent-1"),
                "--key=" + authority.key("agent-1"),
                "--ca=" + authority.authorities(),
                "--socket-directory=" + directory.resolve("agent"),
                "--control-listen=127.0.0.1:0",
                "--metrics-listen=127.0.0.1:0",
                "--loops=2"));
        for (String change : changed) {
            String name = change.substring(0, change.indexOf('=') + 1);
            result.removeIf(argument -> argument.startsWith(name));
            result.add(change);
        }
        return result;
    }

    private void startAgent() throws Exception {
        agent = AgentProcess.start(AgentOptions.parse(arguments()));
        ControlTls tls = ControlTls.load(
                CLUSTER, authority.certificate("admin"), authority.key("admin"), authority.authorities());
        channel = ControlChannels.secure("127.0.0.1", agent.controlPort(), tls, java.util.Set.of(ControlRole.AGENT));
    }

    private void stopAgent() {
        channel.shutdownNow();
        agent.close();
    }

    @AfterEach
    void stop() {
        stopAgent();
        nodes.close();
    }

    private AgentControlGrpc.AgentControlBlockingStub control() {
        return AgentControlGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
    }

    private AttachRequest request(long generation) {
        AttachRequest.Builder request = AttachRequest.newBuilder()
                .setVolume(nodes.volume.toString())
                .setExportName("vol/1")
                .setGeneration(generation);
        int number = 1;
        for (InetSocketAddress address : nodes.addresses()) {
            request.addNodes(NodeAddress.newBuilder()
                    .setNode("node-" + number++)
                    .setHost("127.0.0.1")
                    .setDataPort(address.getPort()));
        }
        return request.build();
    }

    private AgentAttachment only() {
        return control()
                .listAttachments(ListAttachmentsRequest.getDefaultInstance())
                .getAttachments(0);
    }

    private static void await(BooleanSupplier condition) {
        Waiting.until("the condition", Duration.ofSeconds(15), condition::getAsBoolean);
    }

    private String metrics() throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            URI uri = URI.create("http://127.0.0.1:" + agent.metricsPort() + "/metrics");
            return client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                    .body();
        }
    }

    @Test
    void attachedVolumeServesClientsAndShowsItself() throws Exception {
        AttachResponse attached = control().attach(request(1));
        assertThat(attached.getSizeBytes()).isEqualTo(FakeCluster.SIZE);
        assertThat(attached.getNbdUri()).isEqualTo("nbd+unix:///vol%2F1?socket=" + directory.resolve("agent/nbd.sock"));
        assertThat(control().attach(request(1)).getNbdUri()).isEqualTo(attached.getNbdUri());
        assertThat(only().getState()).isEqualTo("open");
        assertThat(only().getPrimaryNode()).isEqualTo("node-1");
        Path original = directory.resolve("original");
        byte[] bytes = new byte[FakeCluster.SIZE];
        new Random(3).nextBytes(bytes);
        Files.write(original, bytes);
        Clients.succeed("nbdcopy", "--flush", original.toString(), attached.getNbdUri());
        Path copy = directory.resolve("copy");
        Clients.succeed("nbdcopy", attached.getNbdUri(), copy.toString());
        assertThat(Files.mismatch(original, copy)).isEqualTo(-1);
        assertThat(metrics())
                .contains("gabion_volume_io_seconds_count{op=\"write\",volume=\"vol/1\"}")
                .contains("gabion_volume_io_phase_seconds_bucket{phase=\"replica\",volume=\"vol/1\"")
                .contains("gabion_volume_session_open{volume=\"vol/1\"} 1.0")
                .contains("gabion_build_info{")
                .contains("gabion_network_backend{backend=\"io_uring\"}")
                .contains("jvm_");
    }

    private static boolean isDoneAfter(CompletableFuture<?> task, long millis) throws InterruptedException {
        try {
            task.get(millis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException stillRuns) {
            return false;
        } catch (ExecutionException failed) {
            return true;
        }
        return true;
    }

    @Test
    void clientSeesOnlyPausesWhilePrimariesComeAndGo() throws Exception {
        String uri = control().attach(request(1)).getNbdUri();
        CompletableFuture<Clients.Result> fio = CompletableFuture.supplyAsync(() -> {
            try {
                return Clients.run(
                        "fio",
                        "--name=failover",
                        "--ioengine=nbd",
                        "--uri=" + uri,
                        "--rw=randrw",
                        "--bsrange=512-128k",
                        "--blockalign=512",
                        "--iodepth=16",
                        "--size=" + FakeCluster.SIZE,
                        "--time_based",
                        "--runtime=6",
                        "--verify=crc32c",
                        "--serialize_overlap=1",
                        "--verify_fatal=1");
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        int failovers = 0;
        while (!fio.isDone()) {
            nodes.loseAnswers();
            if (isDoneAfter(fio, 20)) {
                break;
            }
            nodes.failOver();
            failovers++;
            isDoneAfter(fio, 300);
        }
        assertThat(fio.join().exitCode()).as("%s", fio.join().output()).isZero();
        assertThat(failovers).isGreaterThan(5);
        assertThat(nodes.repetitions)
                .as("requests whose answers were lost were sent again")
                .hasPositiveValue();
        assertThat(metrics()).contains("gabion_volume_failover_pause_seconds_count{volume=\"vol/1\"}");
    }

    @Test
    void primaryThatFallsSilentIsLeftForOneThatAnswers() throws Exception {
        String uri = control().attach(request(1)).getNbdUri();
        nodes.loseAnswers();
        CompletableFuture<String> writer = CompletableFuture.supplyAsync(() -> {
            try {
                return Clients.succeed(
                        "nbdsh", "-u", uri, "-c", "h.pwrite(b'z' * 8192, 0)\nassert h.pread(8192, 0) == b'z' * 8192");
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        await(() -> only().getRequestsOutstanding() == 1);
        nodes.failOverSilently();
        writer.get(15, TimeUnit.SECONDS);
        assertThat(only().getPrimaryNode()).isEqualTo("node-2");
        assertThat(nodes.repetitions).hasValue(1);
    }

    @Test
    void attachmentSurvivesARestartOfTheAgent() throws Exception {
        String uri = control().attach(request(1)).getNbdUri();
        Clients.succeed("nbdsh", "-u", uri, "-c", "h.pwrite(b'x' * 1024, 512)\nh.flush()\nh.shutdown()");
        stopAgent();
        startAgent();
        Clients.succeed(
                "nbdsh",
                "-u",
                uri,
                "-c",
                "assert h.get_size() == " + FakeCluster.SIZE
                        + "\nassert h.pread(2048, 0) == bytearray(512) + b'x' * 1024 + bytearray(512)\nh.shutdown()");
        await(() -> only().getState().equals("open"));
        assertThat(nodes.repetitions).hasValue(0);
    }

    @Test
    void agentThatWasReplacedFailsEverythingForGood() throws Exception {
        String uri = control().attach(request(1)).getNbdUri();
        nodes.fence();
        String script = """
                import errno
                for attempt in range(2):
                    try:
                        h.pwrite(b'y' * 4096, 0)
                    except nbd.Error as e:
                        assert e.errnum == errno.ESHUTDOWN, e.errnum
                    else:
                        assert False, 'written'
                """;
        Clients.succeed("nbdsh", "-u", uri, "-c", script);
        assertThat(only().getState()).isEqualTo("fenced");
        assertThatThrownBy(() -> control().attach(request(1)))
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION));
        assertThat(metrics()).contains("gabion_volume_fences_total{volume=\"vol/1\"} 1.0");
        Path remembered = directory.resolve("agent/attachments/" + nodes.volume + ".attachment");
        await(() -> !Files.exists(remembered));
        // A higher generation is a new grant.
        assertThat(control().attach(request(2)).getSizeBytes()).isEqualTo(FakeCluster.SIZE);
        Clients.succeed("nbdsh", "-u", uri, "-c", "h.pwrite(b'y' * 4096, 0)");
    }

    @Test
    void detachedVolumeIsGoneAndStaysGone() throws Exception {
        String uri = control().attach(request(1)).getNbdUri();
        DetachRequest detach =
                DetachRequest.newBuilder().setVolume(nodes.volume.toString()).build();
        control().detach(detach);
        assertThat(Clients.run("nbdinfo", uri).exitCode()).isNotZero();
        assertThat(control()
                        .listAttachments(ListAttachmentsRequest.getDefaultInstance())
                        .getAttachmentsList())
                .isEmpty();
        control().detach(detach);
        stopAgent();
        startAgent();
        assertThat(Clients.run("nbdinfo", uri).exitCode()).isNotZero();
        control().attach(request(2));
        Clients.succeed("nbdinfo", uri);
    }

    @Test
    void attachSaysWhyItFails() {
        nodes.grantAttachment(false);
        assertThatThrownBy(() -> AgentControlGrpc.newBlockingStub(channel)
                        .withDeadlineAfter(2, TimeUnit.SECONDS)
                        .attach(request(1)))
                .hasMessageContaining("UNAVAILABLE")
                .hasMessageContaining("no attachment of this node in the record");
        assertThat(control()
                        .listAttachments(ListAttachmentsRequest.getDefaultInstance())
                        .getAttachmentsList())
                .isEmpty();
        nodes.grantAttachment(true);
        control().attach(request(3));
        assertThatThrownBy(() -> control().attach(request(2)))
                .hasMessageContaining("FAILED_PRECONDITION")
                .hasMessageContaining("generation 3");
        AttachRequest taken =
                request(1).toBuilder().setVolume(UUID.randomUUID().toString()).build();
        assertThatThrownBy(() -> control().attach(taken)).hasMessageContaining("is taken");
        for (AttachRequest bad : List.of(
                request(0),
                request(1).toBuilder().setVolume("vol1").build(),
                request(1).toBuilder().setExportName("").build(),
                request(1).toBuilder().clearNodes().build(),
                request(1).toBuilder()
                        .addNodes(NodeAddress.newBuilder().setNode("node-9").setHost("h"))
                        .build())) {
            assertThatThrownBy(() -> control().attach(bad)).hasMessageContaining("INVALID_ARGUMENT");
        }
    }

    @Test
    void whatKeepsTheAgentFromStartingIsNamed() throws Exception {
        assertThatThrownBy(() -> AgentProcess.start(AgentOptions.parse(arguments())))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("in use by another agent");
        String other = "--socket-directory=" + directory.resolve("other");
        assertThatThrownBy(() -> AgentProcess.start(
                        AgentOptions.parse(arguments(other, "--control-listen=127.0.0.1:" + agent.controlPort()))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cannot listen on 127.0.0.1:" + agent.controlPort());
        assertThatThrownBy(() -> AgentProcess.start(
                        AgentOptions.parse(arguments(other, "--metrics-listen=127.0.0.1:" + agent.metricsPort()))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cannot listen for metrics on");
        assertThatThrownBy(
                        () -> AgentProcess.start(AgentOptions.parse(arguments(other, "--cluster=" + new UUID(7, 7)))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(CLUSTER.toString())
                .hasMessageContaining(new UUID(7, 7).toString());
        assertThatThrownBy(() -> AgentProcess.start(
                        AgentOptions.parse(arguments(other, "--certificate=" + directory.resolve("none.pem")))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("none.pem");
        assertThatThrownBy(() -> AgentProcess.start(
                        AgentOptions.parse(arguments("--socket-directory=" + directory.resolve("x".repeat(100))))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("shorter directory");
    }
}
