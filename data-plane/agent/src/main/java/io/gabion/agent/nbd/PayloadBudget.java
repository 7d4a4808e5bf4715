package io.gabion.agent.nbd;

import io.netty.util.internal.PlatformDependent;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Memory that the payloads of all connections together may take. When volumes wait for a failover, every client fills its
 * queue: without a common bound many clients would take all memory of the process. Thread-safe.
 */
final class PayloadBudget {
    /** The rest of the process's buffer memory is for the storage nodes' connections and for buffers that are only part used. */
    private static final int SHARE_OF_BUFFER_MEMORY = 4;
    /** Even a small process must take two of the longest requests. */
    private static final long SMALLEST_BYTES = 2L * NbdProtocol.MAX_PAYLOAD_BYTES;

    private final long limitBytes;
    private final AtomicLong usedBytes = new AtomicLong();
    /** At most one entry per connection. */
    private final Queue<Runnable> waiting = new ConcurrentLinkedQueue<>();

    PayloadBudget(long limitBytes) {
        this.limitBytes = limitBytes;
    }

    /** A quarter of what this process may allocate for network buffers. */
    static PayloadBudget ofThisProcess() {
        return new PayloadBudget(
                Math.max(SMALLEST_BYTES, PlatformDependent.maxDirectMemory() / SHARE_OF_BUFFER_MEMORY));
    }

    /** May another request, of whatever length, begin? The last one may go over the limit. */
    boolean hasRoom() {
        return usedBytes.get() < limitBytes;
    }

    void take(int bytes) {
        usedBytes.addAndGet(bytes);
    }

    void give(int bytes) {
        long left = usedBytes.addAndGet(-bytes);
        if (left < limitBytes) {
            for (Runnable next = waiting.poll(); next != null; next = waiting.poll()) {
                next.run();
            }
        }
    }

    /** Runs {@code whenRoom} once, on any thread, when there may be room again; at once if there is. */
    void await(Runnable whenRoom) {
        waiting.add(whenRoom);
        if (hasRoom() && waiting.remove(whenRoom)) {
            whenRoom.run();
        }
    }
}
