package io.gabion.cli.snapshot;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.Deadlines;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.text.CommandFailure;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.ControlErrors;
import io.gabion.protocol.control.v1.DeleteSnapshotRequest;
import io.gabion.protocol.control.v1.ListSnapshotsRequest;
import io.gabion.protocol.control.v1.ListSnapshotsResponse;
import io.gabion.protocol.control.v1.SnapshotAnswer;
import io.gabion.protocol.control.v1.SnapshotControlGrpc.SnapshotControlBlockingStub;
import io.gabion.protocol.control.v1.SnapshotResult;
import io.gabion.protocol.control.v1.TakeSnapshotRequest;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

/** Asks the primary of a volume, whoever that is, until it says what became of a snapshot. */
final class PrimaryCalls {
    /** A node says after 8 s that a snapshot still waits. */
    private static final Duration ONE_CALL = Duration.ofSeconds(12);
    /** A pass over the index of a large volume. */
    private static final Duration SPACE = Duration.ofSeconds(70);

    private final Cluster cluster;
    private final RecordAccess records;

    PrimaryCalls(Cluster cluster, RecordAccess records) {
        this.cluster = cluster;
        this.records = records;
    }

    /** Taken, number used, or refused. Throws {@link CommandFailure} that says what it waits for when the time is over. */
    SnapshotAnswer take(VolumeId volume, long number) {
        TakeSnapshotRequest request = TakeSnapshotRequest.newBuilder()
                .setVolume(volume.toString())
                .setNumber(number)
                .build();
        return untilDecided(volume, stub -> stub.takeSnapshot(request));
    }

    /** Deleted or refused. Throws as {@link #take}. */
    SnapshotAnswer delete(VolumeId volume, long number) {
        DeleteSnapshotRequest request = DeleteSnapshotRequest.newBuilder()
                .setVolume(volume.toString())
                .setNumber(number)
                .build();
        return untilDecided(volume, stub -> stub.deleteSnapshot(request));
    }

    private SnapshotAnswer untilDecided(VolumeId volume, Function<SnapshotControlBlockingStub, SnapshotAnswer> call) {
        AtomicReference<String> last = new AtomicReference<>("nobody was asked yet");
        AtomicReference<SnapshotAnswer> decided = new AtomicReference<>(SnapshotAnswer.getDefaultInstance());
        boolean done = Deadlines.await(Deadlines.CHANGE, () -> {
            VolumeRecord record = records.find(volume)
                    .filter(v -> !v.deleting())
                    .orElseThrow(() -> new CommandFailure("the volume was deleted in the meantime"));
            SnapshotAnswer answer = once(record, call, last);
            decided.set(answer);
            return switch (answer.getResult()) {
                case SNAPSHOT_RESULT_TAKEN,
                        SNAPSHOT_RESULT_DELETED,
                        SNAPSHOT_RESULT_NUMBER_USED,
                        SNAPSHOT_RESULT_REFUSED -> true;
                case SNAPSHOT_RESULT_NOT_PRIMARY, SNAPSHOT_RESULT_WAITING, SNAPSHOT_RESULT_UNSPECIFIED, UNRECOGNIZED ->
                    false;
            };
        });
        if (!done) {
            throw new CommandFailure("no primary did it within " + Deadlines.CHANGE.toSeconds() + " s: " + last.get());
        }
        return decided.get();
    }

    private SnapshotAnswer once(
            VolumeRecord record,
            Function<SnapshotControlBlockingStub, SnapshotAnswer> call,
            AtomicReference<String> last) {
        NodeName name = record.primaryNode().orElse(null);
        NodeRecord node = name == null ? null : records.nodes().get(name);
        if (node == null) {
            last.set("the node of the primary has no address in the configuration store");
            return SnapshotAnswer.getDefaultInstance();
        }
        try {
            SnapshotAnswer answer = cluster.snapshotsRaw(node, ONE_CALL, call);
            last.set(
                    answer.getResult() == SnapshotResult.SNAPSHOT_RESULT_NOT_PRIMARY
                            ? "node " + node.name() + " does not lead the volume (any more, or yet)"
                            : "node " + node.name() + ": " + answer.getReason());
            return answer;
        } catch (StatusRuntimeException e) {
            last.set(ControlErrors.describe(Cluster.nodeName(node), e));
            return SnapshotAnswer.getDefaultInstance();
        }
    }

    /** What the primary holds; empty when it cannot be asked. */
    Optional<ListSnapshotsResponse> list(VolumeRecord volume) {
        NodeRecord node =
                volume.primaryNode().map(name -> records.nodes().get(name)).orElse(null);
        if (node == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(cluster.snapshotsRaw(
                    node,
                    SPACE,
                    stub -> stub.listSnapshots(ListSnapshotsRequest.newBuilder()
                            .setVolume(volume.id().toString())
                            .setWithSpace(true)
                            .build())));
        } catch (StatusRuntimeException e) {
            return Optional.empty();
        }
    }
}
