package io.gabion.node.configstore;

import io.gabion.core.port.Event.ReadOutcome;
import io.gabion.core.port.Event.SwapOutcome;
import io.gabion.model.DiskId;
import io.gabion.model.DiskRecord;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.ControlCodec;
import io.gabion.protocol.control.ControlErrors;
import io.gabion.protocol.control.v1.ConfigurationStoreGrpc;
import io.gabion.protocol.control.v1.ConfigurationStoreGrpc.ConfigurationStoreStub;
import io.gabion.protocol.control.v1.GetDiskRequest;
import io.gabion.protocol.control.v1.GetVolumeRequest;
import io.gabion.protocol.control.v1.ListNodesRequest;
import io.gabion.protocol.control.v1.ListVolumesRequest;
import io.gabion.protocol.control.v1.PutNodeRequest;
import io.gabion.protocol.control.v1.RemoveVolumeRequest;
import io.gabion.protocol.control.v1.SwapDiskRequest;
import io.gabion.protocol.control.v1.SwapResult;
import io.gabion.protocol.control.v1.SwapVolumeRequest;
import io.gabion.protocol.control.v1.SwapVolumeResponse;
import io.gabion.protocol.control.v1.VolumeChange;
import io.gabion.protocol.control.v1.WatchVolumesRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * The stand-alone configuration store over gRPC. All calls are asynchronous and bounded by a deadline; answers arrive on
 * threads of the channel. A swap whose answer is missing has an unknown outcome, whatever the error looks like.
 */
public final class ConfigurationStoreClient implements ConfigurationStore {
    /** Long for one fsync on a busy disk, short for a volume whose writes wait. */
    static final int DEADLINE_SECONDS = 2;
    /** The channel's own back-off grows to minutes; a stopped store must be found again at once when it is back. */
    static final long RECONNECT_INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private final ManagedChannel channel;
    private final ConfigurationStoreStub stub;
    private final String peer;
    private final NodeName self;
    private final ScheduledExecutorService timer;
    private final SwapQueue swaps;
    private final AtomicLong reconnectedNanos = new AtomicLong(System.nanoTime() - RECONNECT_INTERVAL_NANOS);
    private volatile boolean reachable;

    /** @param peer the store for people: "configuration store HOST:PORT" */
    public ConfigurationStoreClient(
            ManagedChannel channel, String peer, NodeName self, ScheduledExecutorService timer) {
        this.channel = channel;
        this.self = self;
        this.timer = timer;
        this.stub = ConfigurationStoreGrpc.newStub(channel);
        this.peer = peer;
        this.swaps = new SwapQueue(System::nanoTime, (delayNanos, task) -> {
            if (!timer.isShutdown()) {
                var unused = timer.schedule(task, delayNanos, TimeUnit.NANOSECONDS);
            }
        });
    }

    @Override
    public boolean reachable() {
        return reachable;
    }

    @Override
    public int swapsWaiting() {
        return swaps.waiting();
    }

    @Override
    public void read(VolumeId volume, Consumer<ReadOutcome> answer) {
        GetVolumeRequest request =
                GetVolumeRequest.newBuilder().setId(volume.toString()).build();
        bounded()
                .getVolume(
                        request,
                        this.<io.gabion.protocol.control.v1.GetVolumeResponse>answer(
                                response -> answer.accept(readOutcome(response)),
                                reason -> answer.accept(new ReadOutcome.Unavailable(reason))));
    }

    private static ReadOutcome readOutcome(io.gabion.protocol.control.v1.GetVolumeResponse response) {
        if (!response.hasRecord()) {
            return new ReadOutcome.Absent();
        }
        try {
            return new ReadOutcome.Found(ControlCodec.fromProto(response.getRecord()));
        } catch (IllegalArgumentException e) {
            return new ReadOutcome.Unavailable("the record is malformed: " + e.getMessage());
        }
    }

    @Override
    public void swap(VolumeRecord next, boolean urgent, Consumer<SwapOutcome> answer) {
        SwapVolumeRequest request = SwapVolumeRequest.newBuilder()
                .setExpectedVersion(next.config().version() - 1)
                .setNext(ControlCodec.toProto(next))
                .build();
        swaps.submit(urgent, () -> bounded()
                .swapVolume(
                        request,
                        new UnaryAnswer<>(
                                response -> {
                                    answered();
                                    answer.accept(swapOutcome(response));
                                },
                                failure -> answer.accept(swapFailure(failure)))));
    }

    private SwapOutcome swapOutcome(SwapVolumeResponse response) {
        try {
            return switch (response.getResult()) {
                case SWAP_RESULT_WON -> new SwapOutcome.Won(ControlCodec.fromProto(response.getRecord()));
                case SWAP_RESULT_LOST ->
                    response.hasRecord()
                            ? new SwapOutcome.Lost(ControlCodec.fromProto(response.getRecord()))
                            : new SwapOutcome.Refused(List.of("the volume has no record any more"));
                case SWAP_RESULT_REFUSED -> new SwapOutcome.Refused(List.copyOf(response.getViolationsList()));
                case SWAP_RESULT_UNSPECIFIED, UNRECOGNIZED ->
                    new SwapOutcome.Unknown(peer + " gave an answer that this version does not know");
            };
        } catch (IllegalArgumentException e) {
            return new SwapOutcome.Unknown("the answer of " + peer + " is malformed: " + e.getMessage());
        }
    }

    private SwapOutcome swapFailure(Throwable failure) {
        String reason = ControlErrors.describe(peer, failure);
        Status.Code code = Status.fromThrowable(failure).getCode();
        if (code == Status.Code.INVALID_ARGUMENT || code == Status.Code.PERMISSION_DENIED) {
            // The store looked at the request and did nothing.
            answered();
            return new SwapOutcome.Refused(List.of(reason));
        }
        failed(failure);
        return new SwapOutcome.Unknown(reason);
    }

    @Override
    public void remove(VolumeRecord record, Consumer<Boolean> done) {
        RemoveVolumeRequest request = RemoveVolumeRequest.newBuilder()
                .setId(record.id().toString())
                .setExpectedVersion(record.config().version())
                .build();
        bounded()
                .removeVolume(
                        request,
                        this.<io.gabion.protocol.control.v1.RemoveVolumeResponse>answer(
                                response -> done.accept(response.getResult() == SwapResult.SWAP_RESULT_WON),
                                reason -> done.accept(false)));
    }

    @Override
    public void listDeleting(Consumer<List<VolumeRecord>> value, Consumer<String> unavailable) {
        bounded()
                .listVolumes(
                        ListVolumesRequest.getDefaultInstance(),
                        this.<io.gabion.protocol.control.v1.ListVolumesResponse>answer(
                                response -> value.accept(response.getRecordsList().stream()
                                        .filter(io.gabion.protocol.control.v1.VolumeRecord::getDeleting)
                                        .map(ControlCodec::fromProto)
                                        .toList()),
                                unavailable));
    }

    // ---- disks and nodes
    @Override
    public void readDisk(DiskId disk, Consumer<Optional<DiskRecord>> value, Consumer<String> unavailable) {
        bounded()
                .getDisk(
                        GetDiskRequest.newBuilder().setId(disk.toString()).build(),
                        this.<io.gabion.protocol.control.v1.GetDiskResponse>answer(
                                response -> value.accept(
                                        response.hasRecord()
                                                ? Optional.of(ControlCodec.fromProto(response.getRecord()))
                                                : Optional.empty()),
                                unavailable));
    }

    @Override
    public void swapDisk(DiskRecord next, Runnable won, Consumer<String> problem) {
        SwapDiskRequest request = SwapDiskRequest.newBuilder()
                .setExpectedVersion(next.version() - 1)
                .setNext(ControlCodec.toProto(next))
                .build();
        bounded()
                .swapDisk(
                        request,
                        this.<io.gabion.protocol.control.v1.SwapDiskResponse>answer(
                                response -> {
                                    if (response.getResult() == SwapResult.SWAP_RESULT_WON) {
                                        won.run();
                                    } else {
                                        problem.accept("the swap of the disk's record was not won: "
                                                + response.getResult() + " " + response.getViolationsList());
                                    }
                                },
                                problem));
    }

    @Override
    public void putNode(NodeRecord node, Runnable done, Consumer<String> unavailable) {
        bounded()
                .putNode(
                        PutNodeRequest.newBuilder()
                                .setRecord(ControlCodec.toProto(node))
                                .build(),
                        this.<io.gabion.protocol.control.v1.PutNodeResponse>answer(
                                response -> done.run(), unavailable));
    }

    @Override
    public void listNodes(Consumer<List<NodeRecord>> value, Consumer<String> unavailable) {
        bounded()
                .listNodes(
                        ListNodesRequest.getDefaultInstance(),
                        this.<io.gabion.protocol.control.v1.ListNodesResponse>answer(
                                response -> value.accept(response.getRecordsList().stream()
                                        .map(ControlCodec::fromProto)
                                        .toList()),
                                unavailable));
    }

    // ---- watch
    @Override
    public void watch(Consumer<VolumeRecord> listener) {
        new RecordWatch(this, self, timer, listener).start();
    }

    /** One watch without a deadline; ends with {@code onError} or {@code onCompleted} of the observer. */
    void watch(NodeName node, StreamObserver<VolumeChange> observer) {
        stub.withWaitForReady()
                .watchVolumes(
                        WatchVolumesRequest.newBuilder().setNode(node.value()).build(), observer);
    }

    /** Asks the channel to try again at once; at most every {@link #RECONNECT_INTERVAL_NANOS}. */
    void reconnect() {
        long last = reconnectedNanos.get();
        long now = System.nanoTime();
        if (now - last >= RECONNECT_INTERVAL_NANOS && reconnectedNanos.compareAndSet(last, now)) {
            channel.resetConnectBackoff();
        }
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }

    private ConfigurationStoreStub bounded() {
        return stub.withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
    }

    private <T> UnaryAnswer<T> answer(Consumer<T> value, Consumer<String> unavailable) {
        return new UnaryAnswer<>(
                response -> {
                    answered();
                    try {
                        value.accept(response);
                    } catch (IllegalArgumentException e) {
                        unavailable.accept("the answer of " + peer + " is malformed: " + e.getMessage());
                    }
                },
                failure -> {
                    failed(failure);
                    unavailable.accept(ControlErrors.describe(peer, failure));
                });
    }

    private void answered() {
        reachable = true;
    }

    private void failed(Throwable failure) {
        reachable = false;
        if (Status.fromThrowable(failure).getCode() == Status.Code.UNAVAILABLE) {
            reconnect();
        }
    }
}
