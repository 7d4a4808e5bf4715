package io.gabion.simulator.checker;

import io.gabion.core.message.ClientMessage.IoStatus;
import io.gabion.core.message.RequestId;
import io.gabion.simulator.Trace;
import io.gabion.simulator.client.ClientOperation;
import io.gabion.simulator.client.ClientOperation.Kind;
import io.gabion.simulator.disk.StampPayload;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongUnaryOperator;

/** The histories of all blocks, fed by what the clients send and get. */
public final class Histories {
    private final Trace trace;
    private final TreeMap<Long, RegisterHistory> blocks = new TreeMap<>();
    private final Map<RequestId, Open> open = new HashMap<>();
    private final Map<Long, OpenSnapshot> snapshots = new HashMap<>();
    private final List<Snapshot> taken = new ArrayList<>();

    private record Open(ClientOperation operation, List<RegisterHistory.Entry> entries) {}

    private record OpenSnapshot(long wantedAtNanos, Map<Long, RegisterHistory.Entry> entries) {}

    /** @param values content by block */
    private record Snapshot(long number, RegisterHistory.Span taken, Map<Long, Long> values) {}

    public Histories(Trace trace) {
        this.trace = trace;
    }

    /** What is in the blocks before anything is done to them. */
    public void begin(List<Long> all, LongUnaryOperator stampOf) {
        for (long block : all) {
            RegisterHistory history = history(block);
            history.endWrite(history.beginWrite(stampOf.applyAsLong(block), "inherited", 0), 0);
        }
    }

    public void invoked(ClientOperation operation, long nowNanos) {
        List<RegisterHistory.Entry> entries = new ArrayList<>();
        if (operation.changes() || operation.kind() == Kind.READ) {
            for (int i = 0; i < operation.range().blockCount(); i++) {
                long block = operation.range().firstBlock() + i;
                RegisterHistory history = blocks.computeIfAbsent(block, RegisterHistory::new);
                entries.add(
                        operation.changes()
                                ? history.beginWrite(operation.valueOf(block), operation.toString(), nowNanos)
                                : history.beginRead(operation.toString(), nowNanos));
            }
        }
        open.put(operation.request(), new Open(operation, entries));
    }

    /** The operation behind a request that is still open. */
    public Optional<ClientOperation> operation(RequestId request) {
        return Optional.ofNullable(open.get(request)).map(Open::operation);
    }

    public void returned(String client, ClientOperation operation, IoStatus status, long[] stamps, long nowNanos) {
        if (status != IoStatus.OK) {
            trace.violation(client, operation + " failed with " + status);
            return;
        }
        Open closed = open.remove(operation.request());
        if (closed == null) {
            trace.violation(client, operation + " was answered twice");
            return;
        }
        if (operation.kind() == Kind.READ
                && stamps.length != operation.range().blockCount() * StampPayload.STAMPS_PER_BLOCK) {
            trace.violation(client, operation + " returned " + stamps.length + " sectors");
            return;
        }
        for (int i = 0; i < closed.entries().size(); i++) {
            RegisterHistory history = history(operation.range().firstBlock() + i);
            RegisterHistory.Entry entry = closed.entries().get(i);
            if (operation.changes()) {
                history.endWrite(entry, nowNanos);
            } else {
                checkSectors(client, operation, stamps, i);
                history.endRead(entry, stamps[i * StampPayload.STAMPS_PER_BLOCK], nowNanos);
            }
        }
    }

    /** All sectors of a block come from the same operation. */
    private void checkSectors(String client, ClientOperation operation, long[] stamps, int index) {
        long first = stamps[index * StampPayload.STAMPS_PER_BLOCK];
        for (int sector = 1; sector < StampPayload.STAMPS_PER_BLOCK; sector++) {
            long expected = first == 0 ? 0 : first + sector;
            long found = stamps[index * StampPayload.STAMPS_PER_BLOCK + sector];
            if (found != expected) {
                trace.violation(
                        client,
                        operation + " returned a mixed block "
                                + (operation.range().firstBlock() + index) + ": sector " + sector + " is "
                                + Long.toHexString(found) + ", not " + Long.toHexString(expected));
            }
        }
    }

    /** A snapshot reads every block at one time between now and its answer. */
    public void snapshotBegins(long number, List<Long> all, long nowNanos) {
        Map<Long, RegisterHistory.Entry> entries = new TreeMap<>();
        for (long block : all) {
            entries.put(block, history(block).beginRead("snapshot " + number, nowNanos));
        }
        snapshots.put(number, new OpenSnapshot(nowNanos, entries));
    }

    public void snapshotTaken(long number, LongUnaryOperator stampOf, long nowNanos) {
        OpenSnapshot begun = snapshots.remove(number);
        if (begun == null) {
            trace.violation("check", "snapshot " + number + " was taken twice or never wanted");
            return;
        }
        Map<Long, Long> values = new TreeMap<>();
        begun.entries().forEach((block, entry) -> {
            long value = stampOf.applyAsLong(block);
            values.put(block, value);
            history(block).endRead(entry, value, nowNanos);
        });
        taken.add(new Snapshot(number, new RegisterHistory.Span(begun.wantedAtNanos(), nowNanos), values));
    }

    /** Is there a time at which all blocks together were as in the snapshot? */
    private void checkCut(Snapshot snapshot) {
        List<RegisterHistory.Span> spans = List.of(snapshot.taken());
        for (Map.Entry<Long, Long> block : snapshot.values().entrySet()) {
            List<RegisterHistory.Span> left =
                    RegisterHistory.Span.common(spans, history(block.getKey()).mayHold(block.getValue()));
            if (left.isEmpty()) {
                trace.violation(
                        "check",
                        "snapshot " + snapshot.number() + " is no state of the volume: block " + block.getKey() + " is "
                                + Long.toHexString(block.getValue()) + " in it, at no time of " + spans);
                return;
            }
            spans = left;
        }
    }

    /** Nothing of this client that has no answer yet may take effect any more. */
    public void abandon(List<ClientOperation> operations, long nowNanos) {
        for (ClientOperation operation : operations) {
            Open closed = open.remove(operation.request());
            if (closed != null) {
                for (int i = 0; i < closed.entries().size(); i++) {
                    history(operation.range().firstBlock() + i)
                            .abandon(closed.entries().get(i), nowNanos);
                }
            }
        }
    }

    private RegisterHistory history(long block) {
        return blocks.computeIfAbsent(block, RegisterHistory::new);
    }

    /** Checks everything; reports every block whose history cannot be. */
    public void check() {
        blocks.values().forEach(history -> history.check().ifPresent(text -> trace.violation("check", text)));
        taken.forEach(this::checkCut);
    }
}
