package io.gabion.cli;

import io.gabion.protocol.control.v1.DeleteSnapshotRequest;
import io.gabion.protocol.control.v1.ListSnapshotsRequest;
import io.gabion.protocol.control.v1.ListSnapshotsResponse;
import io.gabion.protocol.control.v1.SnapshotAnswer;
import io.gabion.protocol.control.v1.SnapshotControlGrpc;
import io.gabion.protocol.control.v1.SnapshotResult;
import io.gabion.protocol.control.v1.SnapshotStatus;
import io.gabion.protocol.control.v1.StartSnapshotDigestRequest;
import io.gabion.protocol.control.v1.StartSnapshotDigestResponse;
import io.gabion.protocol.control.v1.TakeSnapshotRequest;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListSet;

/** Snapshots of one volume without a volume. */
final class FakeSnapshots extends SnapshotControlGrpc.SnapshotControlImplBase {
    private static final long OWN_BYTES = 12_288;
    private static final long UNIQUE_BYTES = 4096;

    final Set<Long> held = new ConcurrentSkipListSet<>();

    private final Queue<SnapshotAnswer> prepared = new ConcurrentLinkedQueue<>();

    /** One of the next calls is answered so, and nothing happens. */
    void answerNext(SnapshotResult result, String reason) {
        prepared.add(
                SnapshotAnswer.newBuilder().setResult(result).setReason(reason).build());
    }

    @Override
    public void takeSnapshot(TakeSnapshotRequest request, StreamObserver<SnapshotAnswer> observer) {
        SnapshotAnswer next = prepared.poll();
        if (next == null) {
            held.add(request.getNumber());
            next = SnapshotAnswer.newBuilder()
                    .setResult(SnapshotResult.SNAPSHOT_RESULT_TAKEN)
                    .setLsn(lsn(request.getNumber()))
                    .build();
        }
        answer(observer, next);
    }

    @Override
    public void deleteSnapshot(DeleteSnapshotRequest request, StreamObserver<SnapshotAnswer> observer) {
        SnapshotAnswer next = prepared.poll();
        if (next == null) {
            held.remove(request.getNumber());
            next = SnapshotAnswer.newBuilder()
                    .setResult(SnapshotResult.SNAPSHOT_RESULT_DELETED)
                    .build();
        }
        answer(observer, next);
    }

    @Override
    public void listSnapshots(ListSnapshotsRequest request, StreamObserver<ListSnapshotsResponse> observer) {
        ListSnapshotsResponse.Builder response =
                ListSnapshotsResponse.newBuilder().setRole("primary");
        for (long number : held) {
            response.addSnapshots(SnapshotStatus.newBuilder()
                    .setNumber(number)
                    .setLsn(lsn(number))
                    .setOwnBytes(OWN_BYTES)
                    .setUniqueBytes(UNIQUE_BYTES));
        }
        answer(observer, response.build());
    }

    private static String lsn(long number) {
        return "1." + number;
    }

    @Override
    public void startSnapshotDigest(
            StartSnapshotDigestRequest request, StreamObserver<StartSnapshotDigestResponse> observer) {
        if (held.contains(request.getNumber())) {
            answer(observer, StartSnapshotDigestResponse.newBuilder().setId(2).build());
        } else {
            observer.onError(Status.NOT_FOUND
                    .withDescription("no snapshot " + request.getNumber())
                    .asRuntimeException());
        }
    }

    private static <T> void answer(StreamObserver<T> observer, T value) {
        observer.onNext(value);
        observer.onCompleted();
    }
}
