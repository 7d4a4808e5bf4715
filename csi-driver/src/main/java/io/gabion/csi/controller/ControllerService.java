package io.gabion.csi.controller;

import com.google.protobuf.Int64Value;
import csi.v1.ControllerExpandVolumeRequest;
import csi.v1.ControllerExpandVolumeResponse;
import csi.v1.ControllerGetCapabilitiesRequest;
import csi.v1.ControllerGetCapabilitiesResponse;
import csi.v1.ControllerGetVolumeHealthRequest;
import csi.v1.ControllerGetVolumeHealthResponse;
import csi.v1.ControllerGetVolumeRequest;
import csi.v1.ControllerGetVolumeResponse;
import csi.v1.ControllerGrpc;
import csi.v1.ControllerListVolumeHealthRequest;
import csi.v1.ControllerListVolumeHealthResponse;
import csi.v1.ControllerModifyVolumeRequest;
import csi.v1.ControllerModifyVolumeResponse;
import csi.v1.ControllerPublishVolumeRequest;
import csi.v1.ControllerPublishVolumeResponse;
import csi.v1.ControllerServiceCapability;
import csi.v1.ControllerServiceCapability.RPC;
import csi.v1.ControllerUnpublishVolumeRequest;
import csi.v1.ControllerUnpublishVolumeResponse;
import csi.v1.CreateVolumeRequest;
import csi.v1.CreateVolumeResponse;
import csi.v1.DeleteVolumeRequest;
import csi.v1.DeleteVolumeResponse;
import csi.v1.GetCapacityRequest;
import csi.v1.GetCapacityResponse;
import csi.v1.ListVolumesRequest;
import csi.v1.ListVolumesResponse;
import csi.v1.ValidateVolumeCapabilitiesRequest;
import csi.v1.ValidateVolumeCapabilitiesResponse;
import csi.v1.VolumeCapability;
import csi.v1.VolumeHealth;
import io.gabion.csi.backend.FenceWitness;
import io.gabion.csi.backend.StoredPool;
import io.gabion.csi.backend.StoredVolume;
import io.gabion.csi.backend.VolumeBackend;
import io.gabion.csi.backend.VolumeSettings;
import io.gabion.csi.rpc.Calls;
import io.gabion.csi.rpc.CsiFailure;
import io.gabion.csi.rpc.OperationLocks;
import io.gabion.model.Attachment;
import io.gabion.model.NodeName;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The controller service. Arguments are checked before anything is looked up; every call may be repeated. */
public final class ControllerService extends ControllerGrpc.ControllerImplBase {
    /** In the publish context: the session that the node may open. */
    public static final String GENERATION = "generation";
    /** In the publish context: set when the session may only read. */
    public static final String READ_ONLY = "readOnly";

    private static final List<RPC.Type> CAPABILITIES = List.of(
            RPC.Type.CREATE_DELETE_VOLUME,
            RPC.Type.PUBLISH_UNPUBLISH_VOLUME,
            RPC.Type.LIST_VOLUMES,
            RPC.Type.LIST_VOLUMES_PUBLISHED_NODES,
            RPC.Type.GET_CAPACITY,
            RPC.Type.PUBLISH_READONLY,
            RPC.Type.EXPAND_VOLUME,
            RPC.Type.MODIFY_VOLUME,
            // Marked alpha, but every orchestrator relies on it for single writers.
            RPC.Type.SINGLE_NODE_MULTI_WRITER);
    private static final List<RPC.Type> ALPHA_CAPABILITIES =
            List.of(RPC.Type.GET_VOLUME, RPC.Type.GET_VOLUME_HEALTH, RPC.Type.LIST_VOLUME_HEALTH);

    private final VolumeBackend backend;
    private final Provisioning provisioning;
    private final Fence fence;
    private final OperationLocks locks;
    private final int maxVolumesPerNode;
    private final boolean alpha;

    /** @param maxVolumesPerNode as the nodes tell the orchestrator, which may not have listened */
    public ControllerService(
            VolumeBackend backend, FenceWitness witness, OperationLocks locks, int maxVolumesPerNode, boolean alpha) {
        this.backend = backend;
        this.provisioning = new Provisioning(backend);
        this.fence = new Fence(backend, witness);
        this.locks = locks;
        this.maxVolumesPerNode = maxVolumesPerNode;
        this.alpha = alpha;
    }

    @Override
    public void controllerGetCapabilities(
            ControllerGetCapabilitiesRequest request, StreamObserver<ControllerGetCapabilitiesResponse> observer) {
        Calls.answer(observer, () -> {
            List<RPC.Type> types = new ArrayList<>(CAPABILITIES);
            if (alpha) {
                types.addAll(ALPHA_CAPABILITIES);
            }
            ControllerGetCapabilitiesResponse.Builder response = ControllerGetCapabilitiesResponse.newBuilder();
            types.forEach(type -> response.addCapabilities(ControllerServiceCapability.newBuilder()
                    .setRpc(RPC.newBuilder().setType(type))));
            return response.build();
        });
    }

    @Override
    public void createVolume(CreateVolumeRequest request, StreamObserver<CreateVolumeResponse> observer) {
        Calls.answer(observer, () -> {
            Provisioning.Wish wish = Provisioning.Wish.of(request);
            StoredVolume volume = locks.alone(wish.name(), () -> provisioning.create(wish, Calls.timeLeft()));
            return CreateVolumeResponse.newBuilder()
                    .setVolume(VolumeMessages.volume(volume))
                    .build();
        });
    }

    @Override
    public void deleteVolume(DeleteVolumeRequest request, StreamObserver<DeleteVolumeResponse> observer) {
        Calls.answer(observer, () -> {
            String name = handle(request.getVolumeId());
            return locks.alone(name, () -> {
                find(name).ifPresent(volume -> provisioning.delete(volume, Calls.timeLeft()));
                return DeleteVolumeResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void controllerPublishVolume(
            ControllerPublishVolumeRequest request, StreamObserver<ControllerPublishVolumeResponse> observer) {
        Calls.answer(observer, () -> {
            String name = handle(request.getVolumeId());
            if (request.getNodeId().isEmpty()) {
                throw CsiFailure.missing("node_id");
            }
            if (!request.hasVolumeCapability()) {
                throw CsiFailure.missing("volume_capability");
            }
            VolumeCapability capability = request.getVolumeCapability();
            Capabilities.checkSupported(List.of(capability));
            boolean readOnly = request.getReadonly() || Capabilities.isReadOnly(capability);
            return locks.alone(name, () -> publish(name, request.getNodeId(), readOnly));
        });
    }

    private ControllerPublishVolumeResponse publish(String name, String nodeId, boolean readOnly) {
        StoredVolume volume = existing(name);
        NodeName node = nodeName(nodeId)
                .filter(backend::nodeExists)
                .orElseThrow(() -> CsiFailure.notFound("node \"" + nodeId + "\" does not exist"));
        if (volume.config().isEmpty()) {
            throw CsiFailure.precondition(
                    "volume \"" + name + "\" has no place yet; see kubectl describe volume " + name);
        }
        if (volume.attachments().isEmpty()) {
            checkLimit(node);
        }
        Attachment granted = backend.changeConfig(
                        name, (current, config, writer) -> Sessions.granted(current, config, node, readOnly, writer))
                .flatMap(StoredVolume::config)
                .flatMap(config -> Sessions.find(config, node))
                .orElseThrow(() -> CsiFailure.notFound("volume \"" + name + "\" was deleted meanwhile"));
        return ControllerPublishVolumeResponse.newBuilder()
                .putPublishContext(GENERATION, Long.toString(granted.generation()))
                .putPublishContext(READ_ONLY, Boolean.toString(granted.readOnly()))
                .build();
    }

    private void checkLimit(NodeName node) {
        int attached = backend.attachedTo(node);
        if (attached >= maxVolumesPerNode) {
            throw CsiFailure.exhausted("node \"" + node + "\" has " + attached
                    + " volumes published, as many as it may have (--max-volumes)");
        }
    }

    @Override
    public void controllerUnpublishVolume(
            ControllerUnpublishVolumeRequest request, StreamObserver<ControllerUnpublishVolumeResponse> observer) {
        Calls.answer(observer, () -> {
            String name = handle(request.getVolumeId());
            String node = request.getNodeId();
            return locks.alone(name, () -> {
                if (find(name).isPresent()) {
                    fence.withdraw(
                            name,
                            attachment ->
                                    node.isEmpty() || attachment.node().value().equals(node),
                            Calls.timeLeft());
                }
                return ControllerUnpublishVolumeResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void validateVolumeCapabilities(
            ValidateVolumeCapabilitiesRequest request, StreamObserver<ValidateVolumeCapabilitiesResponse> observer) {
        Calls.answer(observer, () -> {
            String name = handle(request.getVolumeId());
            Capabilities.checkPresent(request.getVolumeCapabilitiesList());
            existing(name);
            Optional<String> obstacle = request.getVolumeCapabilitiesList().stream()
                    .flatMap(capability -> Capabilities.obstacle(capability).stream())
                    .findFirst()
                    .or(() -> obstacle(request));
            ValidateVolumeCapabilitiesResponse.Builder response = ValidateVolumeCapabilitiesResponse.newBuilder();
            if (obstacle.isPresent()) {
                return response.setMessage(obstacle.get()).build();
            }
            return response.setConfirmed(ValidateVolumeCapabilitiesResponse.Confirmed.newBuilder()
                            .putAllVolumeContext(request.getVolumeContextMap())
                            .addAllVolumeCapabilities(request.getVolumeCapabilitiesList())
                            .putAllParameters(request.getParametersMap())
                            .putAllChangeableParameters(request.getChangeableParametersMap()))
                    .build();
        });
    }

    private static Optional<String> obstacle(ValidateVolumeCapabilitiesRequest request) {
        try {
            VolumeParameters.ofClass(request.getParametersMap(), request.getChangeableParametersMap());
            return Optional.empty();
        } catch (CsiFailure e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    @Override
    public void listVolumes(ListVolumesRequest request, StreamObserver<ListVolumesResponse> observer) {
        Calls.answer(observer, () -> {
            Page<StoredVolume> page =
                    Page.of(backend.list(), StoredVolume::name, request.getMaxEntries(), request.getStartingToken());
            ListVolumesResponse.Builder response =
                    ListVolumesResponse.newBuilder().setNextToken(page.nextToken());
            for (StoredVolume volume : page.entries()) {
                response.addEntries(ListVolumesResponse.Entry.newBuilder()
                        .setVolume(VolumeMessages.volume(volume))
                        .setStatus(ListVolumesResponse.VolumeStatus.newBuilder()
                                .addAllPublishedNodeIds(VolumeMessages.publishedNodes(volume))));
            }
            return response.build();
        });
    }

    @Override
    public void controllerGetVolume(
            ControllerGetVolumeRequest request, StreamObserver<ControllerGetVolumeResponse> observer) {
        Calls.answer(observer, () -> {
            requireAlpha("ControllerGetVolume");
            StoredVolume volume = existing(handle(request.getVolumeId()));
            return ControllerGetVolumeResponse.newBuilder()
                    .setVolume(VolumeMessages.volume(volume))
                    .setStatus(ControllerGetVolumeResponse.VolumeStatus.newBuilder()
                            .addAllPublishedNodeIds(VolumeMessages.publishedNodes(volume)))
                    .build();
        });
    }

    @Override
    public void controllerGetVolumeHealth(
            ControllerGetVolumeHealthRequest request, StreamObserver<ControllerGetVolumeHealthResponse> observer) {
        Calls.answer(observer, () -> {
            requireAlpha("ControllerGetVolumeHealth");
            StoredVolume volume = existing(handle(request.getVolumeId()));
            return ControllerGetVolumeHealthResponse.newBuilder()
                    .setVolumeHealth(VolumeMessages.health(volume))
                    .build();
        });
    }

    @Override
    public void controllerListVolumeHealth(
            ControllerListVolumeHealthRequest request, StreamObserver<ControllerListVolumeHealthResponse> observer) {
        Calls.answer(observer, () -> {
            requireAlpha("ControllerListVolumeHealth");
            List<VolumeHealth> unhealthy = backend.list().stream()
                    .map(VolumeMessages::health)
                    .filter(health -> health.getHealthStatusesCount() > 0)
                    .toList();
            Page<VolumeHealth> page =
                    Page.of(unhealthy, VolumeHealth::getVolumeId, request.getMaxEntries(), request.getStartingToken());
            return ControllerListVolumeHealthResponse.newBuilder()
                    .addAllEntries(page.entries())
                    .setNextToken(page.nextToken())
                    .build();
        });
    }

    @Override
    public void getCapacity(GetCapacityRequest request, StreamObserver<GetCapacityResponse> observer) {
        Calls.answer(observer, () -> {
            boolean supported = request.getVolumeCapabilitiesList().stream()
                    .allMatch(capability -> Capabilities.obstacle(capability).isEmpty());
            if (!supported) {
                return GetCapacityResponse.getDefaultInstance();
            }
            // Every node reaches every volume: the capacity is the same wherever somebody asks from.
            UsableCapacity usable = capacity(request.getParametersMap());
            return GetCapacityResponse.newBuilder()
                    .setAvailableCapacity(usable.availableBytes())
                    .setMaximumVolumeSize(Int64Value.of(Math.min(usable.largestBytes(), VolumeSizes.MAX_BYTES)))
                    .setMinimumVolumeSize(Int64Value.of(VolumeSizes.MIN_BYTES))
                    .build();
        });
    }

    /**
     * Space of the class. Of one that can never have a volume it is no lack of space that must be told: the scheduler would say
     * so on the pod and never ask for the volume, whose refusal gives the reason.
     */
    private UsableCapacity capacity(Map<String, String> classParameters) {
        try {
            VolumeParameters parameters = VolumeParameters.ofClass(classParameters, Map.of());
            StoredPool pool = provisioning.pool(parameters.pool());
            int replicas = parameters.settings(VolumeSizes.DEFAULT_BYTES, pool).replicas();
            List<StoredPool.Room> rooms = backend.rooms(pool.name());
            return UsableCapacity.domains(rooms) < replicas
                    ? UsableCapacity.UNKNOWN
                    : UsableCapacity.of(rooms, replicas);
        } catch (CsiFailure e) {
            return UsableCapacity.UNKNOWN;
        }
    }

    @Override
    public void controllerExpandVolume(
            ControllerExpandVolumeRequest request, StreamObserver<ControllerExpandVolumeResponse> observer) {
        Calls.answer(observer, () -> {
            String name = handle(request.getVolumeId());
            if (!request.hasCapacityRange()) {
                throw CsiFailure.missing("capacity_range");
            }
            if (request.hasVolumeCapability()) {
                Capabilities.checkSupported(List.of(request.getVolumeCapability()));
            }
            return locks.alone(name, () -> {
                StoredVolume volume = existing(name);
                long sizeBytes = VolumeSizes.ofGrown(
                        request.getCapacityRange(), volume.settings().sizeBytes());
                StoredVolume grown = provisioning.grow(volume, sizeBytes, Calls.timeLeft());
                return ControllerExpandVolumeResponse.newBuilder()
                        .setCapacityBytes(grown.reservedBytes())
                        // Also for raw block: the node's device has to take the new size over.
                        .setNodeExpansionRequired(true)
                        .build();
            });
        });
    }

    @Override
    public void controllerModifyVolume(
            ControllerModifyVolumeRequest request, StreamObserver<ControllerModifyVolumeResponse> observer) {
        Calls.answer(observer, () -> {
            String name = handle(request.getVolumeId());
            VolumeParameters parameters = VolumeParameters.ofAttributes(request.getChangeableParametersMap());
            return locks.alone(name, () -> {
                StoredVolume volume = existing(name);
                VolumeSettings wanted = parameters.changed(volume.settings());
                if (!wanted.equals(volume.settings())) {
                    provisioning.change(volume, wanted);
                }
                return ControllerModifyVolumeResponse.getDefaultInstance();
            });
        });
    }

    private void requireAlpha(String method) {
        if (!alpha) {
            throw CsiFailure.unimplemented(method + " is switched off; start the driver with --alpha yes");
        }
    }

    private static String handle(String volumeId) {
        if (volumeId.isEmpty()) {
            throw CsiFailure.missing("volume_id");
        }
        return volumeId;
    }

    private Optional<StoredVolume> find(String name) {
        return ObjectNames.isObjectName(name) ? backend.find(name) : Optional.empty();
    }

    private StoredVolume existing(String name) {
        return find(name).orElseThrow(() -> CsiFailure.notFound("volume \"" + name + "\" does not exist"));
    }

    private static Optional<NodeName> nodeName(String text) {
        try {
            return Optional.of(new NodeName(text));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
