package io.gabion.cli.cluster;

import io.gabion.cli.text.CommandFailure;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.ControlCodec;
import io.gabion.protocol.control.ControlErrors;
import io.gabion.protocol.control.PoolRecord;
import io.gabion.protocol.control.v1.GetVolumeRequest;
import io.gabion.protocol.control.v1.GetVolumeResponse;
import io.gabion.protocol.control.v1.ListNodesRequest;
import io.gabion.protocol.control.v1.ListPoolsRequest;
import io.gabion.protocol.control.v1.ListVolumesRequest;
import io.gabion.protocol.control.v1.RemoveVolumeRequest;
import io.gabion.protocol.control.v1.SwapPoolRequest;
import io.gabion.protocol.control.v1.SwapPoolResponse;
import io.gabion.protocol.control.v1.SwapResult;
import io.gabion.protocol.control.v1.SwapVolumeRequest;
import io.gabion.protocol.control.v1.SwapVolumeResponse;
import io.grpc.StatusRuntimeException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.stream.Collectors;

/** Records of the configuration store as the model knows them, and the loop that changes one of them. */
public final class RecordAccess {
    /** Nodes change a record a few times a second at most; more lost races than this are a fault. */
    private static final int MAX_ATTEMPTS = 30;

    private final Cluster cluster;

    public RecordAccess(Cluster cluster) {
        this.cluster = cluster;
    }

    public List<VolumeRecord> volumes() {
        return cluster
                .store(stub -> stub.listVolumes(ListVolumesRequest.getDefaultInstance()))
                .getRecordsList()
                .stream()
                .map(ControlCodec::fromProto)
                .sorted(Comparator.comparing((VolumeRecord v) -> v.spec().name())
                        .thenComparing(VolumeRecord::id))
                .toList();
    }

    /** By name (the live one before those being deleted) or by id. */
    public VolumeRecord volume(String nameOrId) {
        List<VolumeRecord> all = volumes();
        return all.stream()
                .filter(v ->
                        v.spec().name().equals(nameOrId) || v.id().toString().equals(nameOrId))
                .min(Comparator.comparing(VolumeRecord::deleting))
                .orElseThrow(() -> new CommandFailure("volume \"" + nameOrId + "\" does not exist; there are: "
                        + (all.isEmpty()
                                ? "none"
                                : all.stream()
                                        .map(v -> v.spec().name())
                                        .distinct()
                                        .collect(Collectors.joining(", ")))));
    }

    public Optional<VolumeRecord> find(VolumeId id) {
        GetVolumeResponse response = cluster.store(stub -> stub.getVolume(
                GetVolumeRequest.newBuilder().setId(id.toString()).build()));
        return response.hasRecord() ? Optional.of(ControlCodec.fromProto(response.getRecord())) : Optional.empty();
    }

    public Map<NodeName, NodeRecord> nodes() {
        return cluster.store(stub -> stub.listNodes(ListNodesRequest.getDefaultInstance())).getRecordsList().stream()
                .map(ControlCodec::fromProto)
                .collect(Collectors.toMap(NodeRecord::name, node -> node, (_, b) -> b, java.util.TreeMap::new));
    }

    public NodeRecord node(NodeName name) {
        Map<NodeName, NodeRecord> all = nodes();
        return Optional.ofNullable(all.get(name))
                .orElseThrow(() ->
                        new CommandFailure("node \"" + name + "\" is not in the cluster; there are: " + all.keySet()));
    }

    public List<PoolRecord> pools() {
        return cluster.store(stub -> stub.listPools(ListPoolsRequest.getDefaultInstance())).getRecordsList().stream()
                .map(ControlCodec::fromProto)
                .toList();
    }

    public void createPool(PoolRecord pool) {
        SwapPoolResponse response;
        try {
            response = cluster.storeRaw(stub -> stub.swapPool(SwapPoolRequest.newBuilder()
                    .setNext(ControlCodec.toProto(pool))
                    .build()));
        } catch (StatusRuntimeException e) {
            // Perhaps done, perhaps not: only reading tells.
            if (pools().contains(pool)) {
                return;
            }
            throw new CommandFailure(ControlErrors.describe(cluster.storeName(), e), e);
        }
        if (response.getResult() != SwapResult.SWAP_RESULT_WON) {
            throw new CommandFailure(
                    response.getResult() == SwapResult.SWAP_RESULT_LOST
                            ? "pool \"" + pool.name() + "\" exists already"
                            : "pool \"" + pool.name() + "\" was refused: " + response.getViolationsList());
        }
    }

    public void create(VolumeRecord volume) {
        SwapVolumeResponse response;
        try {
            response = cluster.storeRaw(stub -> stub.swapVolume(request(0, volume)));
        } catch (StatusRuntimeException e) {
            if (find(volume.id()).isPresent()) {
                return;
            }
            throw new CommandFailure(ControlErrors.describe(cluster.storeName(), e), e);
        }
        if (response.getResult() != SwapResult.SWAP_RESULT_WON) {
            throw new CommandFailure("the volume was refused: " + response.getViolationsList());
        }
    }

    /**
     * Changes a record by compare-and-swap, from whatever stands, until it is done.
     *
     * @param change the next record from the current one and the name of the proposal; the same record when nothing is to do
     */
    public VolumeRecord change(VolumeRecord start, BiFunction<VolumeRecord, String, VolumeRecord> change) {
        VolumeRecord current = start;
        for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
            VolumeRecord standing = current;
            VolumeRecord next = change.apply(standing, "gabion/" + UUID.randomUUID());
            if (next.equals(standing)) {
                return standing;
            }
            SwapVolumeResponse response;
            try {
                response = cluster.storeRaw(
                        stub -> stub.swapVolume(request(standing.config().version(), next)));
            } catch (StatusRuntimeException e) {
                // Perhaps done, perhaps not: only reading tells. Whoever wins, the next round starts from what stands.
                current = reread(start);
                if (current.config().writer().equals(next.config().writer())) {
                    return current;
                }
                if (attempt > 2) {
                    throw new CommandFailure(ControlErrors.describe(cluster.storeName(), e), e);
                }
                continue;
            }
            switch (response.getResult()) {
                case SWAP_RESULT_WON -> {
                    return ControlCodec.fromProto(response.getRecord());
                }
                case SWAP_RESULT_LOST -> current = reread(start);
                case SWAP_RESULT_REFUSED, SWAP_RESULT_UNSPECIFIED, UNRECOGNIZED ->
                    throw new CommandFailure("the change of volume \""
                            + start.spec().name() + "\" was refused: " + response.getViolationsList());
            }
        }
        throw new CommandFailure("volume \"" + start.spec().name() + "\" changed " + MAX_ATTEMPTS
                + " times while this command tried to change it; try again");
    }

    private VolumeRecord reread(VolumeRecord start) {
        return find(start.id())
                .orElseThrow(
                        () -> new CommandFailure("volume \"" + start.spec().name() + "\" was removed in the meantime"));
    }

    /** True when the record is gone, by this call or before. */
    public boolean remove(VolumeRecord volume) {
        SwapResult result = cluster.store(stub -> stub.removeVolume(RemoveVolumeRequest.newBuilder()
                        .setId(volume.id().toString())
                        .setExpectedVersion(volume.config().version())
                        .build()))
                .getResult();
        return result == SwapResult.SWAP_RESULT_WON || find(volume.id()).isEmpty();
    }

    private static SwapVolumeRequest request(long expectedVersion, VolumeRecord next) {
        return SwapVolumeRequest.newBuilder()
                .setExpectedVersion(expectedVersion)
                .setNext(ControlCodec.toProto(next))
                .build();
    }
}
