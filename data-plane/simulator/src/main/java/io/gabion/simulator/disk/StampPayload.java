package io.gabion.simulator.disk;

import io.gabion.core.message.Payload;
import io.gabion.model.BlockGeometry;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Bytes told by one 64-bit stamp per sector of 512 bytes: the simulator never carries more. Reference counted like a real
 * buffer; a mistake of ownership throws.
 */
public final class StampPayload implements Payload {
    public static final int SECTOR_BYTES = 512;
    public static final int STAMPS_PER_BLOCK = BlockGeometry.BLOCK_BYTES / SECTOR_BYTES;

    private final long[] stamps;
    private final PayloadLedger ledger;
    private final long number;
    private int references = 1;

    /** Takes the array over. The new payload has one reference, counted in {@code ledger}. */
    public StampPayload(long[] stamps, PayloadLedger ledger) {
        this.stamps = stamps;
        this.ledger = ledger;
        number = ledger.opened(this);
    }

    /** The stamps of any payload, read from its bytes where it is not one of ours. Does not release it. */
    public static long[] stampsOf(Payload payload) {
        if (payload instanceof StampPayload ours) {
            ours.checkLive("used");
            return ours.stamps;
        }
        ByteBuffer bytes = payload.bytes();
        long[] stamps = new long[payload.length() / SECTOR_BYTES];
        for (int sector = 0; sector < stamps.length; sector++) {
            stamps[sector] = bytes.getLong(bytes.position() + sector * SECTOR_BYTES);
        }
        return stamps;
    }

    /** Stands for a checksum: equal content has an equal one. */
    public static int checksum(long[] stamps) {
        return Arrays.hashCode(stamps);
    }

    @Override
    public int length() {
        return stamps.length * SECTOR_BYTES;
    }

    @Override
    public int crc32c() {
        return checksum(stamps);
    }

    @Override
    public ByteBuffer bytes() {
        checkLive("used");
        ByteBuffer bytes = ByteBuffer.allocate(length());
        for (int sector = 0; sector < stamps.length; sector++) {
            bytes.putLong(sector * SECTOR_BYTES, stamps[sector]);
        }
        return bytes.asReadOnlyBuffer();
    }

    @Override
    public Payload retain() {
        checkLive("retained");
        references++;
        return this;
    }

    @Override
    public void release() {
        checkLive("released");
        references--;
        if (references == 0) {
            ledger.closed(number);
        }
    }

    private void checkLive(String what) {
        if (references <= 0) {
            throw new IllegalStateException("payload " + this + " " + what + " after its last release");
        }
    }

    @Override
    public String toString() {
        return Long.toHexString(stamps[0]) + "*" + stamps.length / STAMPS_PER_BLOCK;
    }
}
