package io.gabion.cli.cluster;

import io.gabion.cli.text.CommandFailure;
import io.gabion.model.VolumeId;
import io.gabion.protocol.control.SnapshotCodec;
import io.gabion.protocol.control.SnapshotRecord;
import io.gabion.protocol.control.v1.ListSnapshotRecordsRequest;
import io.gabion.protocol.control.v1.RemoveSnapshotRecordRequest;
import io.gabion.protocol.control.v1.SwapResult;
import io.gabion.protocol.control.v1.SwapSnapshotRecordRequest;
import io.gabion.protocol.control.v1.SwapSnapshotRecordResponse;
import java.util.List;
import java.util.Optional;

/** Names of snapshots in the configuration store. They decide nothing; the primary knows which snapshots there are. */
public final class SnapshotNames {
    private final Cluster cluster;

    public SnapshotNames(Cluster cluster) {
        this.cluster = cluster;
    }

    /** By name. */
    public List<SnapshotRecord> of(VolumeId volume) {
        return list(volume.toString());
    }

    /** By volume and name. */
    public List<SnapshotRecord> all() {
        return list("");
    }

    private List<SnapshotRecord> list(String volume) {
        return cluster
                .snapshotRecords(stub -> stub.listSnapshotRecords(ListSnapshotRecordsRequest.newBuilder()
                        .setVolume(volume)
                        .build()))
                .getRecordsList()
                .stream()
                .map(SnapshotCodec::fromProto)
                .toList();
    }

    public Optional<SnapshotRecord> find(VolumeId volume, String name) {
        return of(volume).stream().filter(s -> s.name().equals(name)).findFirst();
    }

    /** Empty when somebody else was there first. */
    public Optional<SnapshotRecord> create(SnapshotRecord first) {
        return swap(0, first);
    }

    /** Replaces the version before; fails when somebody else was there first. */
    public SnapshotRecord change(SnapshotRecord next) {
        return swap(next.version() - 1, next)
                .orElseThrow(() -> new CommandFailure("snapshot \"" + next.name()
                        + "\" was changed by another command at the same time; see: gabion snapshot list"));
    }

    private Optional<SnapshotRecord> swap(long expected, SnapshotRecord next) {
        SwapSnapshotRecordResponse response =
                cluster.snapshotRecords(stub -> stub.swapSnapshotRecord(SwapSnapshotRecordRequest.newBuilder()
                        .setExpectedVersion(expected)
                        .setNext(SnapshotCodec.toProto(next))
                        .build()));
        return switch (response.getResult()) {
            case SWAP_RESULT_WON -> Optional.of(SnapshotCodec.fromProto(response.getRecord()));
            case SWAP_RESULT_LOST -> Optional.empty();
            case SWAP_RESULT_REFUSED, SWAP_RESULT_UNSPECIFIED, UNRECOGNIZED ->
                throw new CommandFailure(
                        "snapshot \"" + next.name() + "\" was refused: " + response.getViolationsList());
        };
    }

    /** The name is free again, by this call or by another one. */
    public void remove(SnapshotRecord snapshot) {
        SnapshotRecord last = snapshot.deleting() ? snapshot : change(snapshot.withDeleting());
        SwapResult result = cluster.snapshotRecords(
                        stub -> stub.removeSnapshotRecord(RemoveSnapshotRecordRequest.newBuilder()
                                .setVolume(last.volume().toString())
                                .setName(last.name())
                                .setExpectedVersion(last.version())
                                .build()))
                .getResult();
        if (result != SwapResult.SWAP_RESULT_WON
                && find(last.volume(), last.name()).isPresent()) {
            throw new CommandFailure("the name of snapshot \"" + last.name()
                    + "\" could not be removed: another command changed it; repeat this one");
        }
    }
}
