package io.gabion.csi.node;

import csi.v1.NodeExpandVolumeRequest;
import csi.v1.NodeExpandVolumeResponse;
import csi.v1.NodeGetCapabilitiesRequest;
import csi.v1.NodeGetCapabilitiesResponse;
import csi.v1.NodeGetInfoRequest;
import csi.v1.NodeGetInfoResponse;
import csi.v1.NodeGetStorageHealthRequest;
import csi.v1.NodeGetStorageHealthResponse;
import csi.v1.NodeGetVolumeHealthRequest;
import csi.v1.NodeGetVolumeHealthResponse;
import csi.v1.NodeGetVolumeStatsRequest;
import csi.v1.NodeGetVolumeStatsResponse;
import csi.v1.NodeGrpc;
import csi.v1.NodePublishVolumeRequest;
import csi.v1.NodePublishVolumeResponse;
import csi.v1.NodeServiceCapability;
import csi.v1.NodeServiceCapability.RPC;
import csi.v1.NodeStageVolumeRequest;
import csi.v1.NodeStageVolumeResponse;
import csi.v1.NodeUnpublishVolumeRequest;
import csi.v1.NodeUnpublishVolumeResponse;
import csi.v1.NodeUnstageVolumeRequest;
import csi.v1.NodeUnstageVolumeResponse;
import csi.v1.StorageHealthErrorType;
import csi.v1.Topology;
import csi.v1.VolumeCapability;
import csi.v1.VolumeHealth;
import csi.v1.VolumeHealth.VolumeHealthEntry;
import csi.v1.VolumeHealthErrorType;
import csi.v1.VolumeUsage;
import io.gabion.csi.agent.NodeAgent;
import io.gabion.csi.agent.NodeAgent.State;
import io.gabion.csi.backend.BackendUnavailableException;
import io.gabion.csi.backend.StorageNodes;
import io.gabion.csi.backend.StoredVolume;
import io.gabion.csi.controller.Capabilities;
import io.gabion.csi.controller.ControllerService;
import io.gabion.csi.host.FileSystemType;
import io.gabion.csi.host.FileSystems;
import io.gabion.csi.host.HostCommandException;
import io.gabion.csi.host.HostCommands;
import io.gabion.csi.host.MountTable;
import io.gabion.csi.host.MountTable.Mount;
import io.gabion.csi.host.Mounts;
import io.gabion.csi.node.Devices.VolumeDevice;
import io.gabion.csi.rpc.Calls;
import io.gabion.csi.rpc.CsiFailure;
import io.gabion.csi.rpc.OperationLocks;
import io.grpc.stub.StreamObserver;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/** The node service. Arguments are checked before anything is looked up; every call may be repeated. */
public final class NodeService extends NodeGrpc.NodeImplBase {
    private static final List<RPC.Type> CAPABILITIES = List.of(
            RPC.Type.STAGE_UNSTAGE_VOLUME,
            RPC.Type.GET_VOLUME_STATS,
            RPC.Type.EXPAND_VOLUME,
            RPC.Type.SINGLE_NODE_MULTI_WRITER);
    private static final List<RPC.Type> ALPHA_CAPABILITIES =
            List.of(RPC.Type.GET_VOLUME_HEALTH, RPC.Type.GET_STORAGE_HEALTH);
    private static final String EPHEMERAL = "csi.storage.k8s.io/ephemeral";
    private static final int MAX_PATH_CHARACTERS = 4096;

    private final NodeIdentity identity;
    private final NodeAgent agent;
    private final Function<String, Optional<StoredVolume>> volumes;
    private final OperationLocks locks;
    private final boolean alpha;
    private final Devices devices;
    private final FileSystems fileSystems;
    private final Staging staging;
    private final Publishing publishing;

    /** @param volumes finds a volume by its handle, never older than what was answered before */
    public NodeService(
            NodeIdentity identity,
            NodeAgent agent,
            Function<String, Optional<StoredVolume>> volumes,
            StorageNodes storageNodes,
            HostCommands commands,
            OperationLocks locks,
            boolean alpha) {
        this.identity = identity;
        this.agent = agent;
        this.volumes = volumes;
        this.locks = locks;
        this.alpha = alpha;
        this.devices = new Devices(agent);
        this.fileSystems = new FileSystems(commands);
        Mounts mounts = new Mounts(commands);
        this.staging = new Staging(agent, devices, storageNodes, fileSystems, mounts);
        this.publishing = new Publishing(mounts);
    }

    @Override
    public void nodeGetCapabilities(
            NodeGetCapabilitiesRequest request, StreamObserver<NodeGetCapabilitiesResponse> observer) {
        Calls.answer(observer, () -> {
            List<RPC.Type> types = new ArrayList<>(CAPABILITIES);
            if (alpha) {
                types.addAll(ALPHA_CAPABILITIES);
            }
            NodeGetCapabilitiesResponse.Builder response = NodeGetCapabilitiesResponse.newBuilder();
            types.forEach(type -> response.addCapabilities(
                    NodeServiceCapability.newBuilder().setRpc(RPC.newBuilder().setType(type))));
            return response.build();
        });
    }

    @Override
    public void nodeGetInfo(NodeGetInfoRequest request, StreamObserver<NodeGetInfoResponse> observer) {
        Calls.answer(observer, () -> NodeGetInfoResponse.newBuilder()
                .setNodeId(identity.name().value())
                .setMaxVolumesPerNode(identity.maxVolumes())
                .setAccessibleTopology(Topology.newBuilder().putSegments(TopologyKey.DOMAIN, identity.domain()))
                .build());
    }

    @Override
    public void nodeStageVolume(NodeStageVolumeRequest request, StreamObserver<NodeStageVolumeResponse> observer) {
        answer(observer, () -> {
            String name = handle(request.getVolumeId());
            Path path = path("staging_target_path", request.getStagingTargetPath());
            VolumeCapability capability = capability(request.hasVolumeCapability(), request.getVolumeCapability());
            long generation = generation(request.getPublishContextMap().getOrDefault(ControllerService.GENERATION, ""));
            boolean readOnly =
                    Boolean.parseBoolean(request.getPublishContextMap().getOrDefault(ControllerService.READ_ONLY, ""))
                            || Capabilities.isReadOnly(capability);
            return locks.alone(name, () -> {
                StoredVolume volume = volumes.apply(name)
                        .orElseThrow(() -> CsiFailure.notFound("volume \"" + name + "\" does not exist"));
                staging.stage(new Staging.Order(volume, generation, readOnly, path, capability));
                return NodeStageVolumeResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void nodeUnstageVolume(
            NodeUnstageVolumeRequest request, StreamObserver<NodeUnstageVolumeResponse> observer) {
        answer(observer, () -> {
            String name = handle(request.getVolumeId());
            Path path = path("staging_target_path", request.getStagingTargetPath());
            return locks.alone(name, () -> {
                staging.unstage(name, path);
                return NodeUnstageVolumeResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void nodePublishVolume(
            NodePublishVolumeRequest request, StreamObserver<NodePublishVolumeResponse> observer) {
        answer(observer, () -> {
            String name = handle(request.getVolumeId());
            if (Boolean.parseBoolean(request.getVolumeContextMap().getOrDefault(EPHEMERAL, ""))) {
                throw CsiFailure.invalid("inline volumes (volumes[].csi) are not supported; use a generic ephemeral"
                        + " volume: volumes[].ephemeral.volumeClaimTemplate");
            }
            Path target = path("target_path", request.getTargetPath());
            VolumeCapability capability = capability(request.hasVolumeCapability(), request.getVolumeCapability());
            if (request.getStagingTargetPath().isEmpty()) {
                throw CsiFailure.precondition(
                        "staging_target_path is missing: the volume is staged before it is published");
            }
            Path stagingPath = path("staging_target_path", request.getStagingTargetPath());
            boolean readOnly = request.getReadonly()
                    || Boolean.parseBoolean(
                            request.getPublishContextMap().getOrDefault(ControllerService.READ_ONLY, ""))
                    || Capabilities.isReadOnly(capability);
            return locks.alone(name, () -> {
                VolumeDevice device = devices.find(name).orElseThrow(() -> notHere(name));
                publishing.publish(new Publishing.Order(name, device, stagingPath, target, capability, readOnly));
                return NodePublishVolumeResponse.getDefaultInstance();
            });
        });
    }

    private CsiFailure notHere(String name) {
        return volumes.apply(name).isEmpty()
                ? CsiFailure.notFound("volume \"" + name + "\" does not exist")
                : CsiFailure.precondition("volume \"" + name + "\" is not staged on this node");
    }

    @Override
    public void nodeUnpublishVolume(
            NodeUnpublishVolumeRequest request, StreamObserver<NodeUnpublishVolumeResponse> observer) {
        answer(observer, () -> {
            String name = handle(request.getVolumeId());
            Path target = path("target_path", request.getTargetPath());
            return locks.alone(name, () -> {
                publishing.unpublish(target);
                return NodeUnpublishVolumeResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void nodeGetVolumeStats(
            NodeGetVolumeStatsRequest request, StreamObserver<NodeGetVolumeStatsResponse> observer) {
        answer(observer, () -> {
            String name = handle(request.getVolumeId());
            Path path = somewhere(request.getVolumePath());
            VolumeDevice device = devices.find(name)
                    .orElseThrow(() -> CsiFailure.notFound("volume \"" + name + "\" is not on this node"));
            MountTable table = MountTable.read();
            NodeGetVolumeStatsResponse.Builder response = NodeGetVolumeStatsResponse.newBuilder();
            if (table.ofNode(device.number()).stream()
                    .anyMatch(mount -> mount.path().equals(path))) {
                return response.addUsage(VolumeUsage.newBuilder()
                                .setUnit(VolumeUsage.Unit.BYTES)
                                .setTotal(device.number().sizeBytes()))
                        .build();
            }
            if (table.ofFileSystemOn(device.number()).stream()
                    .noneMatch(mount -> mount.path().equals(path))) {
                throw CsiFailure.notFound("volume \"" + name + "\" is not at " + path);
            }
            FileSystems.Usage usage = fileSystems.usage(path);
            return response.addUsage(VolumeUsage.newBuilder()
                            .setUnit(VolumeUsage.Unit.BYTES)
                            .setTotal(usage.totalBytes())
                            .setAvailable(usage.availableBytes())
                            .setUsed(usage.usedBytes()))
                    .addUsage(VolumeUsage.newBuilder()
                            .setUnit(VolumeUsage.Unit.INODES)
                            .setTotal(usage.totalInodes())
                            .setAvailable(usage.freeInodes())
                            .setUsed(usage.usedInodes()))
                    .build();
        });
    }

    @Override
    public void nodeExpandVolume(NodeExpandVolumeRequest request, StreamObserver<NodeExpandVolumeResponse> observer) {
        answer(observer, () -> {
            String name = handle(request.getVolumeId());
            Path path = somewhere(request.getVolumePath());
            return locks.alone(
                    name, () -> expand(name, path, request.getCapacityRange().getRequiredBytes()));
        });
    }

    private NodeExpandVolumeResponse expand(String name, Path path, long requiredBytes) {
        VolumeDevice device = devices.find(name)
                .orElseThrow(() -> CsiFailure.notFound("volume \"" + name + "\" is not on this node"));
        MountTable table = MountTable.read();
        Optional<Mount> mounted = table.ofFileSystemOn(device.number()).stream()
                .filter(mount -> mount.path().equals(path))
                .findFirst();
        boolean block = table.ofNode(device.number()).stream()
                .anyMatch(mount -> mount.path().equals(path));
        if (mounted.isEmpty() && !block) {
            throw CsiFailure.notFound("volume \"" + name + "\" is not at " + path);
        }
        long sizeBytes = agent.resize(device.attached().volume(), requiredBytes);
        if (mounted.isPresent() && !mounted.get().readOnly()) {
            FileSystemType type = FileSystemType.find(mounted.get().type())
                    .orElseThrow(() -> CsiFailure.precondition(
                            "file system " + mounted.get().type() + " cannot grow while it is mounted"));
            if (!fileSystems.growMounted(type, device.path(), path)) {
                throw CsiFailure.precondition(
                        "volume \"" + name + "\": this machine lets nobody grow a mounted " + type.word()
                                + " (CAP_SYS_RESOURCE is missing); it grows when no pod on this node uses the volume any more and"
                                + " the next one starts");
            }
        }
        return NodeExpandVolumeResponse.newBuilder().setCapacityBytes(sizeBytes).build();
    }

    @Override
    public void nodeGetVolumeHealth(
            NodeGetVolumeHealthRequest request, StreamObserver<NodeGetVolumeHealthResponse> observer) {
        answer(observer, () -> {
            requireAlpha("NodeGetVolumeHealth");
            String name = handle(request.getVolumeId());
            VolumeHealth.Builder health = VolumeHealth.newBuilder().setVolumeId(name);
            Optional<NodeAgent.Attached> attached = devices.attached(name);
            if (attached.isEmpty() && volumes.apply(name).isEmpty()) {
                throw CsiFailure.notFound("volume \"" + name + "\" does not exist");
            }
            attached.filter(a -> a.state() != State.SERVING)
                    .ifPresent(_ -> health.addHealthStatuses(VolumeHealthEntry.newBuilder()
                            .setStatus(VolumeHealthErrorType.INACCESSIBLE)
                            .setReason("Fenced")
                            .setMessage("The volume was taken away from this node; delete the pod that uses it.")));
            return NodeGetVolumeHealthResponse.newBuilder()
                    .setVolumeHealth(health)
                    .build();
        });
    }

    @Override
    public void nodeGetStorageHealth(
            NodeGetStorageHealthRequest request, StreamObserver<NodeGetStorageHealthResponse> observer) {
        answer(observer, () -> {
            requireAlpha("NodeGetStorageHealth");
            NodeGetStorageHealthResponse.Builder response = NodeGetStorageHealthResponse.newBuilder();
            try {
                agent.attachments();
            } catch (BackendUnavailableException e) {
                response.addBackendHealth(NodeGetStorageHealthResponse.StorageBackendHealth.newBuilder()
                        .setStatus(StorageHealthErrorType.STORAGE_UNREACHABLE)
                        .setReason("AgentUnreachable")
                        .setMessage(String.valueOf(e.getMessage())));
            }
            return response.build();
        });
    }

    private void requireAlpha(String method) {
        if (!alpha) {
            throw CsiFailure.unimplemented(method + " is switched off; start the driver with --alpha yes");
        }
    }

    /** A host command that failed is nobody's fault and may work next time. */
    private static <T> void answer(StreamObserver<T> observer, Supplier<T> call) {
        Calls.answer(observer, () -> {
            try {
                return call.get();
            } catch (HostCommandException e) {
                throw CsiFailure.internal(String.valueOf(e.getMessage()), e);
            }
        });
    }

    private static String handle(String volumeId) {
        if (volumeId.isEmpty()) {
            throw CsiFailure.missing("volume_id");
        }
        return volumeId;
    }

    private static Path path(String field, String text) {
        if (text.isEmpty()) {
            throw CsiFailure.missing(field);
        }
        try {
            if (text.length() <= MAX_PATH_CHARACTERS && text.startsWith("/")) {
                return Path.of(text).normalize();
            }
        } catch (InvalidPathException e) {
            throw CsiFailure.invalid(field + " is not a path: " + e.getReason());
        }
        throw CsiFailure.invalid(field + " must be an absolute path of at most " + MAX_PATH_CHARACTERS + " characters");
    }

    /** Where a volume is said to be: any text that is no place of ours is just not found. */
    private static Path somewhere(String text) {
        if (text.isEmpty()) {
            throw CsiFailure.missing("volume_path");
        }
        try {
            return Path.of(text).normalize();
        } catch (InvalidPathException e) {
            throw CsiFailure.notFound("volume_path is no path: " + e.getReason());
        }
    }

    private static VolumeCapability capability(boolean present, VolumeCapability capability) {
        if (!present) {
            throw CsiFailure.missing("volume_capability");
        }
        Capabilities.checkSupported(List.of(capability));
        return capability;
    }

    private static long generation(String text) {
        try {
            long generation = Long.parseLong(text);
            if (generation > 0) {
                return generation;
            }
        } catch (NumberFormatException e) {
            throw CsiFailure.invalid("publish_context." + ControllerService.GENERATION + " is missing or no number");
        }
        throw CsiFailure.invalid("publish_context." + ControllerService.GENERATION + " must be positive");
    }
}
