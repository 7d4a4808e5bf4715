package io.gabion.csi.fake;

import csi.v1.ControllerGrpc;
import csi.v1.ControllerPublishVolumeRequest;
import csi.v1.ControllerUnpublishVolumeRequest;
import csi.v1.CreateVolumeRequest;
import csi.v1.NodeGetVolumeStatsRequest;
import csi.v1.NodeGetVolumeStatsResponse;
import csi.v1.NodeGrpc;
import csi.v1.NodeGrpc.NodeBlockingStub;
import csi.v1.NodePublishVolumeRequest;
import csi.v1.NodeStageVolumeRequest;
import csi.v1.NodeUnpublishVolumeRequest;
import csi.v1.NodeUnstageVolumeRequest;
import csi.v1.VolumeCapability;
import io.gabion.csi.host.HostCommands;
import io.gabion.csi.host.MountTable;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** What an orchestrator asks of a node, step by step; unmounts at the end whatever a failed test left. */
public final class NodeSteps implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final long PAUSE_MILLIS = 20;
    private static final int CAP_SYS_RESOURCE = 24;

    private final TestDriver driver;
    private final Path directory;
    private final HostCommands commands = new HostCommands(new PrometheusRegistry());

    public NodeSteps(TestDriver driver, Path directory) {
        this.driver = driver;
        this.directory = directory;
    }

    public static boolean isRoot() throws IOException {
        return Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    }

    /** The kernel asks for CAP_SYS_RESOURCE, which root lacks on some machines. */
    public static boolean mayGrowMountedExt4() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("CapEff:"))
                .anyMatch(
                        line -> (Long.parseUnsignedLong(line.substring(7).strip(), 16) >>> CAP_SYS_RESOURCE & 1) == 1);
    }

    public NodeBlockingStub stub() {
        return NodeGrpc.newBlockingStub(driver.channel());
    }

    public void run(String... command) {
        commands.runOrFail(LIMIT, List.of(command));
    }

    /** Returns when the condition holds or the time is over. */
    public void eventually(Duration limit, BooleanSupplier condition) throws InterruptedException {
        long deadlineNanos = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean() && System.nanoTime() < deadlineNanos) {
            new CountDownLatch(1).await(PAUSE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    /** Where the agent keeps the data of a volume. */
    public Path file(String volume) {
        return driver.agent.file(driver.volumes.find(volume).orElseThrow().id());
    }

    public NodeGetVolumeStatsResponse stats(Steps volume, Path path) {
        return stub().nodeGetVolumeStats(NodeGetVolumeStatsRequest.newBuilder()
                .setVolumeId(volume.name())
                .setVolumePath(path.toString())
                .build());
    }

    /** Makes a volume. */
    public Steps volume(String name, VolumeCapability capability, long sizeBytes) {
        CreateVolumeRequest request = Requests.create(name, sizeBytes).toBuilder()
                .setVolumeCapabilities(0, capability)
                .build();
        return new Steps(
                ControllerGrpc.newBlockingStub(driver.channel())
                        .createVolume(request)
                        .getVolume()
                        .getVolumeId(),
                capability);
    }

    /** One volume in one way of using it. */
    public final class Steps {
        private final String name;
        private final VolumeCapability capability;

        private Steps(String name, VolumeCapability capability) {
            this.name = name;
            this.capability = capability;
        }

        public String name() {
            return name;
        }

        /** The same volume, used in another way. */
        public Steps as(VolumeCapability other) {
            return new Steps(name, other);
        }

        public Path stagingPath() {
            return directory.resolve("staging-" + name);
        }

        private Path target(String pod) {
            return directory.resolve("pods/" + pod + "/volume");
        }

        private Map<String, String> grant() {
            return ControllerGrpc.newBlockingStub(driver.channel())
                    .controllerPublishVolume(ControllerPublishVolumeRequest.newBuilder()
                            .setVolumeId(name)
                            .setNodeId(TestDriver.NODE)
                            .setVolumeCapability(capability)
                            .build())
                    .getPublishContextMap();
        }

        public Steps stage() {
            try {
                // As the kubelet: for a file system the directory is there.
                Files.createDirectories(stagingPath());
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
            var unused = stub().nodeStageVolume(NodeStageVolumeRequest.newBuilder()
                    .setVolumeId(name)
                    .setStagingTargetPath(stagingPath().toString())
                    .setVolumeCapability(capability)
                    .putAllPublishContext(grant())
                    .build());
            return this;
        }

        public Path publish(String pod) {
            return publish(pod, false);
        }

        public Path publishReadOnly(String pod) {
            return publish(pod, true);
        }

        private Path publish(String pod, boolean readOnly) {
            stage();
            var unused = stub().nodePublishVolume(NodePublishVolumeRequest.newBuilder()
                    .setVolumeId(name)
                    .setStagingTargetPath(stagingPath().toString())
                    .setTargetPath(target(pod).toString())
                    .setVolumeCapability(capability)
                    .setReadonly(readOnly)
                    .putAllPublishContext(grant())
                    .build());
            return target(pod);
        }

        public void unpublish(String pod) {
            var unused = stub().nodeUnpublishVolume(NodeUnpublishVolumeRequest.newBuilder()
                    .setVolumeId(name)
                    .setTargetPath(target(pod).toString())
                    .build());
        }

        /** And takes the right to the volume from the node. */
        public void unstage() {
            var unused = stub().nodeUnstageVolume(NodeUnstageVolumeRequest.newBuilder()
                    .setVolumeId(name)
                    .setStagingTargetPath(stagingPath().toString())
                    .build());
            withdraw();
        }

        private void withdraw() {
            var unused = ControllerGrpc.newBlockingStub(driver.channel())
                    .controllerUnpublishVolume(ControllerUnpublishVolumeRequest.newBuilder()
                            .setVolumeId(name)
                            .setNodeId(TestDriver.NODE)
                            .build());
        }
    }

    @Override
    public void close() {
        MountTable.read().mounts().reversed().stream()
                .map(MountTable.Mount::path)
                .filter(path -> path.startsWith(directory))
                .forEach(path -> commands.run(LIMIT, List.of("umount", "-l", path.toString())));
    }
}
