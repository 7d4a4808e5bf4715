package io.gabion.configstore;

import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.ControlCodec;
import io.gabion.protocol.control.v1.VolumeChange;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One stream of volume changes. A volume that the filter once let through stays watched, so that the last change, the one that
 * takes the node out of it, arrives too. Thread-safe; never blocks the caller: changes wait in a bounded queue until the
 * connection takes them, and a watcher that lets it overflow is ended and has to begin again.
 */
final class Watcher {
    /** Changes that may wait for a slow connection, beside the initial list. */
    static final int MAX_WAITING = 4096;

    private final Optional<NodeName> filter;
    private final ServerCallStreamObserver<VolumeChange> observer;
    private final ArrayDeque<VolumeChange> waiting = new ArrayDeque<>();
    private final Map<VolumeId, VolumeRecord> sent = new HashMap<>();
    private int initial;
    private boolean ended;

    /** @param filter only volumes with a replica, or a tombstone, on this node */
    Watcher(Optional<NodeName> filter, ServerCallStreamObserver<VolumeChange> observer) {
        this.filter = filter;
        this.observer = observer;
    }

    synchronized void begin(Records records) {
        records.volumes().forEach(this::put);
        waiting.add(VolumeChange.newBuilder().setInitialListComplete(true).build());
        initial = waiting.size();
        drain();
    }

    synchronized void changed(List<Change> changes) {
        if (ended) {
            return;
        }
        for (Change change : changes) {
            if (change instanceof Change.VolumePut put) {
                put(put.record());
            } else if (change instanceof Change.VolumeRemoved removed) {
                remove(removed.id());
            }
        }
        drain();
        if (!ended && waiting.size() > MAX_WAITING + initial) {
            fail(Status.RESOURCE_EXHAUSTED.withDescription("the watcher is too slow: " + waiting.size()
                    + " changes wait for its connection; watch again from the start"));
        }
    }

    /** The connection takes more. */
    synchronized void drain() {
        while (!ended && observer.isReady() && !waiting.isEmpty()) {
            observer.onNext(waiting.remove());
        }
    }

    synchronized void end() {
        if (!ended) {
            fail(Status.UNAVAILABLE.withDescription("the configuration store is stopping; watch again"));
        }
    }

    synchronized void cancelled() {
        ended = true;
        waiting.clear();
    }

    synchronized boolean isEnded() {
        return ended;
    }

    private void fail(Status status) {
        ended = true;
        waiting.clear();
        observer.onError(status.asRuntimeException());
    }

    private void put(VolumeRecord record) {
        if (sent.containsKey(record.id()) || isWanted(record)) {
            sent.put(record.id(), record);
            waiting.add(VolumeChange.newBuilder()
                    .setRecord(ControlCodec.toProto(record))
                    .build());
        }
    }

    private void remove(VolumeId id) {
        VolumeRecord last = sent.remove(id);
        if (last != null) {
            waiting.add(VolumeChange.newBuilder()
                    .setRecord(ControlCodec.toProto(last))
                    .setRemoved(true)
                    .build());
        }
    }

    private boolean isWanted(VolumeRecord record) {
        return filter.map(node -> record.placement().stream()
                                .anyMatch(p -> p.node().equals(node))
                        || record.removed().stream().anyMatch(p -> p.node().equals(node)))
                .orElse(true);
    }
}
