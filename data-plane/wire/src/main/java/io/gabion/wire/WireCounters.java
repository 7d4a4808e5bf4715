package io.gabion.wire;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** What the connections of a process did since its start; for metrics. Thread-safe. */
public final class WireCounters {
    private final LongAdder connectionsOpened = new LongAdder();
    private final LongAdder connectionsClosed = new LongAdder();
    private final LongAdder framesSent = new LongAdder();
    private final LongAdder framesReceived = new LongAdder();
    private final LongAdder bytesSent = new LongAdder();
    private final LongAdder bytesReceived = new LongAdder();
    private final LongAdder flushes = new LongAdder();
    /** Bounded: {@link CloseReason#label} has a small fixed set of values. */
    private final Map<String, LongAdder> endedByReason = new ConcurrentHashMap<>();

    /** Handshakes completed. */
    public long connectionsOpened() {
        return connectionsOpened.sum();
    }

    /** Connections that stand now. */
    public long connectionsOpen() {
        return Math.max(0, connectionsOpened.sum() - connectionsClosed.sum());
    }

    public long framesSent() {
        return framesSent.sum();
    }

    public long framesReceived() {
        return framesReceived.sum();
    }

    /** Before encryption. */
    public long bytesSent() {
        return bytesSent.sum();
    }

    /** After decryption. */
    public long bytesReceived() {
        return bytesReceived.sum();
    }

    /** Write batches handed to the kernel. */
    public long flushes() {
        return flushes.sum();
    }

    /** Connections and attempts that ended, by {@link CloseReason#label}. */
    public Map<String, Long> endedByReason() {
        Map<String, Long> result = new TreeMap<>();
        endedByReason.forEach((label, count) -> result.put(label, count.sum()));
        return result;
    }

    void opened() {
        connectionsOpened.increment();
    }

    void closed() {
        connectionsClosed.increment();
    }

    void ended(CloseReason reason) {
        endedByReason.computeIfAbsent(reason.label(), _ -> new LongAdder()).increment();
    }

    void sent(long frames, long bytes) {
        framesSent.add(frames);
        bytesSent.add(bytes);
        flushes.increment();
    }

    void received(long frames, long bytes) {
        framesReceived.add(frames);
        bytesReceived.add(bytes);
    }
}
