package io.gabion.csi;

import csi.v1.ControllerGrpc;
import csi.v1.GetCapacityRequest;
import csi.v1.IdentityGrpc;
import csi.v1.NodeGetInfoRequest;
import csi.v1.NodeGrpc;
import csi.v1.ProbeRequest;
import io.gabion.csi.kubernetes.KubernetesGround;
import io.gabion.process.TemporaryDirectory;
import io.gabion.process.UsageException;
import io.gabion.protocol.control.ControlChannels;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Runs the driver for a moment, in both roles and without a cluster, so that an archive of the classes that it loads can be made
 * when its image is built: with it the driver starts in a third of the time.
 */
final class WarmUp {
    private static final int CALL_LIMIT_SECONDS = 2;

    private WarmUp() {}

    static void run() throws IOException, UsageException {
        try (TemporaryDirectory temporary = TemporaryDirectory.create("gabion-csi")) {
            Path directory = temporary.path();
            Files.createDirectories(directory.resolve("plugins_registry"));
            Path socket = directory.resolve("csi.sock");
            CsiOptions options = CsiOptions.parse(
                    List.of(
                            "--role=all",
                            "--node-name=warm-up",
                            "--endpoint=unix://" + socket,
                            "--http-listen=127.0.0.1:0",
                            "--agent-socket=" + directory.resolve("agent.sock"),
                            "--kubelet-directory=" + directory,
                            "--certificate-directory=" + directory.resolve("certificate")),
                    Map.of());
            try (CsiProcess process = CsiProcess.start(options, _ -> KubernetesGround.nowhere(options))) {
                call(socket);
                System.out.println("gabion-csi-driver: warmed up, health was on port " + process.httpPort());
            }
        }
    }

    private static void call(Path socket) {
        ManagedChannel channel = ControlChannels.unixSocket(socket);
        try {
            var unusedInfo = NodeGrpc.newBlockingStub(channel).nodeGetInfo(NodeGetInfoRequest.getDefaultInstance());
            var unusedProbe = IdentityGrpc.newBlockingStub(channel).probe(ProbeRequest.getDefaultInstance());
            var unusedCapacity = ControllerGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(CALL_LIMIT_SECONDS, TimeUnit.SECONDS)
                    .getCapacity(GetCapacityRequest.getDefaultInstance());
        } catch (StatusRuntimeException e) {
            // There is no cluster to answer.
            System.out.println("gabion-csi-driver: " + e.getStatus().getCode() + ", as it should be");
        } finally {
            channel.shutdownNow();
        }
    }
}
