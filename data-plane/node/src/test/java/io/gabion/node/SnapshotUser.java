package io.gabion.node;

import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.process.testing.Waiting;
import io.gabion.protocol.control.ControlCodec;
import io.gabion.protocol.control.v1.DeleteSnapshotRequest;
import io.gabion.protocol.control.v1.GetVerifyRequest;
import io.gabion.protocol.control.v1.ListSnapshotsRequest;
import io.gabion.protocol.control.v1.SnapshotAnswer;
import io.gabion.protocol.control.v1.SnapshotControlGrpc.SnapshotControlBlockingStub;
import io.gabion.protocol.control.v1.SnapshotResult;
import io.gabion.protocol.control.v1.SnapshotStatus;
import io.gabion.protocol.control.v1.StartSnapshotDigestRequest;
import io.gabion.protocol.control.v1.SwapResult;
import io.gabion.protocol.control.v1.SwapVolumeRequest;
import io.gabion.protocol.control.v1.SwapVolumeResponse;
import io.gabion.protocol.control.v1.TakeSnapshotRequest;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;

/** Wants snapshots taken and deleted, as the command line does, of whoever leads the volume. */
final class SnapshotUser {
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final Cluster cluster;
    private final VolumeId volume;

    SnapshotUser(Cluster cluster, VolumeId volume) {
        this.cluster = cluster;
        this.volume = volume;
    }

    /** Raises the sequence in the record; the number is this caller's alone. */
    long reserve() {
        while (true) {
            VolumeRecord current = cluster.record(volume).orElseThrow();
            VolumeRecord next = current.withConfig(current.config()
                    .withSnapSequence(current.config().snapSequence() + 1, "test/" + UUID.randomUUID()));
            SwapVolumeResponse response = cluster.storeStub()
                    .swapVolume(SwapVolumeRequest.newBuilder()
                            .setExpectedVersion(current.config().version())
                            .setNext(ControlCodec.toProto(next))
                            .build());
            if (response.getResult() == SwapResult.SWAP_RESULT_WON) {
                return next.config().snapSequence();
            }
        }
    }

    /** Returns the number under which it was taken in the end. */
    long take() {
        while (true) {
            long number = reserve();
            SnapshotAnswer answer = decided(stub -> stub.takeSnapshot(TakeSnapshotRequest.newBuilder()
                    .setVolume(volume.toString())
                    .setNumber(number)
                    .build()));
            switch (answer.getResult()) {
                case SNAPSHOT_RESULT_TAKEN -> {
                    return number;
                }
                case SNAPSHOT_RESULT_NUMBER_USED -> {}
                default -> throw new AssertionError("not taken: " + answer);
            }
        }
    }

    /** What the primary says of taking this number, whoever that is. */
    SnapshotAnswer take(long number) {
        return decided(stub -> stub.takeSnapshot(TakeSnapshotRequest.newBuilder()
                .setVolume(volume.toString())
                .setNumber(number)
                .build()));
    }

    void delete(long number) {
        SnapshotAnswer answer = decided(stub -> stub.deleteSnapshot(DeleteSnapshotRequest.newBuilder()
                .setVolume(volume.toString())
                .setNumber(number)
                .build()));
        if (answer.getResult() != SnapshotResult.SNAPSHOT_RESULT_DELETED) {
            throw new AssertionError("not deleted: " + answer);
        }
    }

    private SnapshotAnswer decided(Function<SnapshotControlBlockingStub, SnapshotAnswer> call) {
        SnapshotAnswer[] answer = new SnapshotAnswer[1];
        Waiting.until("a primary decides", PATIENCE, () -> {
            answer[0] = once(call);
            return switch (answer[0].getResult()) {
                case SNAPSHOT_RESULT_TAKEN,
                        SNAPSHOT_RESULT_DELETED,
                        SNAPSHOT_RESULT_NUMBER_USED,
                        SNAPSHOT_RESULT_REFUSED -> true;
                case SNAPSHOT_RESULT_NOT_PRIMARY, SNAPSHOT_RESULT_WAITING, SNAPSHOT_RESULT_UNSPECIFIED, UNRECOGNIZED ->
                    false;
            };
        });
        return answer[0];
    }

    private SnapshotAnswer once(Function<SnapshotControlBlockingStub, SnapshotAnswer> call) {
        try {
            String primary = cluster.record(volume)
                    .flatMap(VolumeRecord::primaryNode)
                    .map(NodeName::value)
                    .orElseThrow();
            return cluster.snapshots(primary, call);
        } catch (StatusRuntimeException e) {
            return SnapshotAnswer.getDefaultInstance();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What the replica on that node holds: place in the history by number. */
    SortedMap<Long, String> held(String node) throws IOException {
        SortedMap<Long, String> held = new TreeMap<>();
        for (SnapshotStatus status : list(node, false)) {
            held.put(status.getNumber(), status.getLsn());
        }
        return held;
    }

    Iterable<SnapshotStatus> list(String node, boolean withSpace) throws IOException {
        return cluster.snapshots(
                        node,
                        stub -> stub.listSnapshots(ListSnapshotsRequest.newBuilder()
                                .setVolume(volume.toString())
                                .setWithSpace(withSpace)
                                .build()))
                .getSnapshotsList();
    }

    /** SHA-256 of a snapshot as that node's disk holds it. */
    String digest(String node, long number) throws IOException {
        long id = cluster.snapshots(
                        node,
                        stub -> stub.startSnapshotDigest(StartSnapshotDigestRequest.newBuilder()
                                .setVolume(volume.toString())
                                .setNumber(number)
                                .build()))
                .getId();
        GetVerifyRequest request = GetVerifyRequest.newBuilder()
                .setVolume(volume.toString())
                .setId(id)
                .build();
        String[] digest = new String[1];
        Waiting.until("a digest of snapshot " + number + " on " + node, PATIENCE, () -> {
            try {
                var response = cluster.control(node, stub -> stub.getVerify(request));
                if (!response.getFailure().isEmpty()) {
                    throw new AssertionError(node + ": " + response.getFailure());
                }
                digest[0] = response.getSha256();
                return response.getState().equals("done");
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        return digest[0];
    }
}
