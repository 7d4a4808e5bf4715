package io.gabion.configstore;

import io.gabion.model.VolumeId;
import io.gabion.protocol.control.SnapshotCodec;
import io.gabion.protocol.control.SnapshotRecord;
import io.gabion.protocol.control.v1.ListSnapshotRecordsRequest;
import io.gabion.protocol.control.v1.ListSnapshotRecordsResponse;
import io.gabion.protocol.control.v1.RemoveSnapshotRecordRequest;
import io.gabion.protocol.control.v1.RemoveSnapshotRecordResponse;
import io.gabion.protocol.control.v1.SnapshotRecordsGrpc;
import io.gabion.protocol.control.v1.SwapSnapshotRecordRequest;
import io.gabion.protocol.control.v1.SwapSnapshotRecordResponse;
import io.grpc.stub.StreamObserver;
import java.util.Collection;

/** The configuration store's calls about names of snapshots. Blocks as {@link ConfigurationStoreService} does. */
final class SnapshotRecordsService extends SnapshotRecordsGrpc.SnapshotRecordsImplBase {
    private final RecordStore store;

    SnapshotRecordsService(RecordStore store) {
        this.store = store;
    }

    @Override
    public void listSnapshotRecords(
            ListSnapshotRecordsRequest request, StreamObserver<ListSnapshotRecordsResponse> observer) {
        ConfigurationStoreService.answer(observer, () -> {
            Records now = store.read();
            Collection<SnapshotRecord> found =
                    request.getVolume().isEmpty() ? now.snapshots() : now.snapshots(VolumeId.of(request.getVolume()));
            ListSnapshotRecordsResponse.Builder response = ListSnapshotRecordsResponse.newBuilder();
            found.forEach(record -> response.addRecords(SnapshotCodec.toProto(record)));
            return response.build();
        });
    }

    @Override
    public void swapSnapshotRecord(
            SwapSnapshotRecordRequest request, StreamObserver<SwapSnapshotRecordResponse> observer) {
        ConfigurationStoreService.answer(observer, () -> {
            Decision decision = ConfigurationStoreService.decide(
                    store,
                    new Request.SwapSnapshot(request.getExpectedVersion(), SnapshotCodec.fromProto(request.getNext())));
            SwapSnapshotRecordResponse.Builder response = SwapSnapshotRecordResponse.newBuilder()
                    .setResult(ConfigurationStoreService.result(decision))
                    .addAllViolations(ConfigurationStoreService.violations(decision));
            if (ConfigurationStoreService.record(decision).orElse(null) instanceof Change.SnapshotPut put) {
                response.setRecord(SnapshotCodec.toProto(put.record()));
            }
            return response.build();
        });
    }

    @Override
    public void removeSnapshotRecord(
            RemoveSnapshotRecordRequest request, StreamObserver<RemoveSnapshotRecordResponse> observer) {
        ConfigurationStoreService.answer(observer, () -> {
            Decision decision = ConfigurationStoreService.decide(
                    store,
                    new Request.RemoveSnapshot(
                            VolumeId.of(request.getVolume()), request.getName(), request.getExpectedVersion()));
            return RemoveSnapshotRecordResponse.newBuilder()
                    .setResult(ConfigurationStoreService.result(decision))
                    .addAllViolations(ConfigurationStoreService.violations(decision))
                    .build();
        });
    }
}
