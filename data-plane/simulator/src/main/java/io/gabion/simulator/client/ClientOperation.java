package io.gabion.simulator.client;

import io.gabion.core.message.RequestId;
import io.gabion.model.ByteRange;
import io.gabion.simulator.disk.StampPayload;

/** One request of a client, from its first sending to its answer. */
public final class ClientOperation {
    /** Room for the sector number in a stamp. */
    private static final int SECTOR_BITS = 12;

    private final RequestId request;
    private final Kind kind;
    private final ByteRange range;
    private final long stamp;
    private final long invokedAtNanos;
    private boolean resent;
    private boolean sent;

    public enum Kind {
        WRITE,
        READ,
        TRIM,
        FLUSH,
        BLOCK_STATUS
    }

    /** @param serial unique in the run, from 1 */
    ClientOperation(RequestId request, Kind kind, ByteRange range, long serial, long invokedAtNanos) {
        this.request = request;
        this.kind = kind;
        this.range = range;
        this.stamp = kind == Kind.WRITE ? serial << SECTOR_BITS : 0;
        this.invokedAtNanos = invokedAtNanos;
    }

    public RequestId request() {
        return request;
    }

    public Kind kind() {
        return kind;
    }

    public ByteRange range() {
        return range;
    }

    public boolean changes() {
        return kind == Kind.WRITE || kind == Kind.TRIM;
    }

    public long invokedAtNanos() {
        return invokedAtNanos;
    }

    /** What the first sector of {@code block} holds after this write; 0 after a trim. */
    public long valueOf(long block) {
        return kind == Kind.WRITE ? stamp + (block - range.firstBlock()) * StampPayload.STAMPS_PER_BLOCK : 0;
    }

    long[] stamps() {
        long[] stamps = new long[range.blockCount() * StampPayload.STAMPS_PER_BLOCK];
        for (int sector = 0; sector < stamps.length; sector++) {
            stamps[sector] = stamp + sector;
        }
        return stamps;
    }

    boolean wasResent() {
        return resent;
    }

    boolean isSent() {
        return sent;
    }

    void markSent(boolean again) {
        sent = true;
        resent |= again;
    }

    /** The connection is gone: it must be sent once more. */
    void unsend() {
        sent = false;
    }

    @Override
    public String toString() {
        return kind + " " + (request.number() >>> 32) + ":" + (int) request.number() + " " + range;
    }
}
