package io.gabion.configstore;

import io.gabion.model.DiskId;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import io.gabion.protocol.control.ControlCodec;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlTls;
import io.gabion.protocol.control.PeerIdentity;
import io.gabion.protocol.control.v1.ConfigurationStoreGrpc;
import io.gabion.protocol.control.v1.GetDiskRequest;
import io.gabion.protocol.control.v1.GetDiskResponse;
import io.gabion.protocol.control.v1.GetVolumeRequest;
import io.gabion.protocol.control.v1.GetVolumeResponse;
import io.gabion.protocol.control.v1.ListDisksRequest;
import io.gabion.protocol.control.v1.ListDisksResponse;
import io.gabion.protocol.control.v1.ListNodesRequest;
import io.gabion.protocol.control.v1.ListNodesResponse;
import io.gabion.protocol.control.v1.ListPoolsRequest;
import io.gabion.protocol.control.v1.ListPoolsResponse;
import io.gabion.protocol.control.v1.ListVolumesRequest;
import io.gabion.protocol.control.v1.ListVolumesResponse;
import io.gabion.protocol.control.v1.PutNodeRequest;
import io.gabion.protocol.control.v1.PutNodeResponse;
import io.gabion.protocol.control.v1.RemoveVolumeRequest;
import io.gabion.protocol.control.v1.RemoveVolumeResponse;
import io.gabion.protocol.control.v1.SwapDiskRequest;
import io.gabion.protocol.control.v1.SwapDiskResponse;
import io.gabion.protocol.control.v1.SwapPoolRequest;
import io.gabion.protocol.control.v1.SwapPoolResponse;
import io.gabion.protocol.control.v1.SwapResult;
import io.gabion.protocol.control.v1.SwapVolumeRequest;
import io.gabion.protocol.control.v1.SwapVolumeResponse;
import io.gabion.protocol.control.v1.VolumeChange;
import io.gabion.protocol.control.v1.WatchVolumesRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/** The configuration store's calls. Blocks its caller's thread until the answer is durable: run it on virtual threads. */
final class ConfigurationStoreService extends ConfigurationStoreGrpc.ConfigurationStoreImplBase {
    private final RecordStore store;

    ConfigurationStoreService(RecordStore store) {
        this.store = store;
    }

    // ---- volumes
    @Override
    public void getVolume(GetVolumeRequest request, StreamObserver<GetVolumeResponse> observer) {
        answer(observer, () -> {
            GetVolumeResponse.Builder response = GetVolumeResponse.newBuilder();
            store.read()
                    .volume(volumeId(request.getId()))
                    .ifPresent(record -> response.setRecord(ControlCodec.toProto(record)));
            return response.build();
        });
    }

    @Override
    public void listVolumes(ListVolumesRequest request, StreamObserver<ListVolumesResponse> observer) {
        answer(observer, () -> {
            ListVolumesResponse.Builder response = ListVolumesResponse.newBuilder();
            store.read().volumes().forEach(record -> response.addRecords(ControlCodec.toProto(record)));
            return response.build();
        });
    }

    @Override
    public void swapVolume(SwapVolumeRequest request, StreamObserver<SwapVolumeResponse> observer) {
        answer(observer, () -> {
            Decision decision = decide(
                    new Request.SwapVolume(request.getExpectedVersion(), ControlCodec.fromProto(request.getNext())));
            SwapVolumeResponse.Builder response =
                    SwapVolumeResponse.newBuilder().setResult(result(decision)).addAllViolations(violations(decision));
            if (record(decision).orElse(null) instanceof Change.VolumePut put) {
                response.setRecord(ControlCodec.toProto(put.record()));
            }
            return response.build();
        });
    }

    @Override
    public void removeVolume(RemoveVolumeRequest request, StreamObserver<RemoveVolumeResponse> observer) {
        answer(observer, () -> {
            Decision decision =
                    decide(new Request.RemoveVolume(volumeId(request.getId()), request.getExpectedVersion()));
            return RemoveVolumeResponse.newBuilder()
                    .setResult(result(decision))
                    .addAllViolations(violations(decision))
                    .build();
        });
    }

    @Override
    public void watchVolumes(WatchVolumesRequest request, StreamObserver<VolumeChange> observer) {
        ServerCallStreamObserver<VolumeChange> stream = (ServerCallStreamObserver<VolumeChange>) observer;
        Optional<NodeName> filter;
        try {
            filter = request.getNode().isEmpty() ? Optional.empty() : Optional.of(new NodeName(request.getNode()));
        } catch (IllegalArgumentException e) {
            observer.onError(Status.INVALID_ARGUMENT
                    .withDescription("node: " + e.getMessage())
                    .asRuntimeException());
            return;
        }
        Watcher watcher = new Watcher(filter, stream);
        stream.setOnCancelHandler(() -> {
            watcher.cancelled();
            leave(watcher);
        });
        stream.setOnReadyHandler(watcher::drain);
        try {
            store.join(watcher);
        } catch (RejectedExecutionException e) {
            observer.onError(Status.UNAVAILABLE.withDescription(e.getMessage()).asRuntimeException());
        }
    }

    private void leave(Watcher watcher) {
        try {
            store.leave(watcher);
        } catch (RejectedExecutionException e) {
            // It is marked as ended; the next batch removes it.
            return;
        }
    }

    // ---- disks, nodes, pools
    @Override
    public void getDisk(GetDiskRequest request, StreamObserver<GetDiskResponse> observer) {
        answer(observer, () -> {
            GetDiskResponse.Builder response = GetDiskResponse.newBuilder();
            store.read()
                    .disk(diskId(request.getId()))
                    .ifPresent(record -> response.setRecord(ControlCodec.toProto(record)));
            return response.build();
        });
    }

    @Override
    public void listDisks(ListDisksRequest request, StreamObserver<ListDisksResponse> observer) {
        answer(observer, () -> {
            ListDisksResponse.Builder response = ListDisksResponse.newBuilder();
            store.read().disks().forEach(record -> response.addRecords(ControlCodec.toProto(record)));
            return response.build();
        });
    }

    @Override
    public void swapDisk(SwapDiskRequest request, StreamObserver<SwapDiskResponse> observer) {
        answer(observer, () -> {
            Decision decision = decide(
                    new Request.SwapDisk(request.getExpectedVersion(), ControlCodec.fromProto(request.getNext())));
            SwapDiskResponse.Builder response =
                    SwapDiskResponse.newBuilder().setResult(result(decision)).addAllViolations(violations(decision));
            if (record(decision).orElse(null) instanceof Change.DiskPut put) {
                response.setRecord(ControlCodec.toProto(put.record()));
            }
            return response.build();
        });
    }

    @Override
    public void putNode(PutNodeRequest request, StreamObserver<PutNodeResponse> observer) {
        answer(observer, () -> {
            result(decide(new Request.PutNode(ControlCodec.fromProto(request.getRecord()))));
            return PutNodeResponse.getDefaultInstance();
        });
    }

    @Override
    public void listNodes(ListNodesRequest request, StreamObserver<ListNodesResponse> observer) {
        answer(observer, () -> {
            ListNodesResponse.Builder response = ListNodesResponse.newBuilder();
            store.read().nodes().forEach(record -> response.addRecords(ControlCodec.toProto(record)));
            return response.build();
        });
    }

    @Override
    public void swapPool(SwapPoolRequest request, StreamObserver<SwapPoolResponse> observer) {
        answer(observer, () -> {
            Decision decision = decide(
                    new Request.SwapPool(request.getExpectedVersion(), ControlCodec.fromProto(request.getNext())));
            SwapPoolResponse.Builder response =
                    SwapPoolResponse.newBuilder().setResult(result(decision)).addAllViolations(violations(decision));
            if (record(decision).orElse(null) instanceof Change.PoolPut put) {
                response.setRecord(ControlCodec.toProto(put.record()));
            }
            return response.build();
        });
    }

    @Override
    public void listPools(ListPoolsRequest request, StreamObserver<ListPoolsResponse> observer) {
        answer(observer, () -> {
            ListPoolsResponse.Builder response = ListPoolsResponse.newBuilder();
            store.read().pools().forEach(record -> response.addRecords(ControlCodec.toProto(record)));
            return response.build();
        });
    }

    // ---- decisions to answers
    private static VolumeId volumeId(String text) {
        try {
            return VolumeId.of(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("id: \"" + text + "\" is not a volume id (UUID)", e);
        }
    }

    private static DiskId diskId(String text) {
        try {
            return DiskId.of(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("id: \"" + text + "\" is not a disk id (UUID)", e);
        }
    }

    private Decision decide(Request request) {
        return decide(store, request);
    }

    /** On behalf of the caller of this thread's call. */
    static Decision decide(RecordStore store, Request request) {
        PeerIdentity caller = ControlTls.PEER.get();
        if (caller == null || caller.role() == ControlRole.AGENT) {
            throw Status.PERMISSION_DENIED
                    .withDescription("only nodes and operators may change records")
                    .asRuntimeException();
        }
        return store.submit(request, caller).join();
    }

    static SwapResult result(Decision decision) {
        return switch (decision) {
            case Decision.Won _, Decision.AlreadyDone _ -> SwapResult.SWAP_RESULT_WON;
            case Decision.Lost _ -> SwapResult.SWAP_RESULT_LOST;
            case Decision.Refused _ -> SwapResult.SWAP_RESULT_REFUSED;
            case Decision.Denied denied ->
                throw Status.PERMISSION_DENIED.withDescription(denied.reason()).asRuntimeException();
        };
    }

    static List<String> violations(Decision decision) {
        return decision instanceof Decision.Refused refused ? refused.violations() : List.of();
    }

    /** The record as stored, or the one that stands in the way. */
    static Optional<Change> record(Decision decision) {
        return switch (decision) {
            case Decision.Won won -> Optional.of(won.change());
            case Decision.AlreadyDone done -> Optional.of(done.change());
            case Decision.Lost lost -> lost.standing();
            case Decision.Refused _, Decision.Denied _ -> Optional.empty();
        };
    }

    /** The one place where failures become status codes. */
    static <T> void answer(StreamObserver<T> observer, Supplier<T> call) {
        T response;
        try {
            response = call.get();
        } catch (StatusRuntimeException e) {
            observer.onError(e);
            return;
        } catch (IllegalArgumentException e) {
            observer.onError(
                    Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException());
            return;
        } catch (RejectedExecutionException e) {
            observer.onError(
                    Status.RESOURCE_EXHAUSTED.withDescription(e.getMessage()).asRuntimeException());
            return;
        } catch (CompletionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            observer.onError(
                    Status.UNAVAILABLE.withDescription(cause.getMessage()).asRuntimeException());
            return;
        }
        observer.onNext(response);
        observer.onCompleted();
    }
}
