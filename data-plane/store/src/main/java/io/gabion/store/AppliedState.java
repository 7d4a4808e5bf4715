package io.gabion.store;

import io.gabion.store.log.LogPosition;
import io.gabion.store.metadata.BinaryInput;
import io.gabion.store.metadata.BinaryOutput;
import io.gabion.store.metadata.MalformedMetadataException;

/**
 * What every batch of the index carries: how far the log is applied.
 *
 * @param log where replay goes on
 * @param mutation number of the index batch; tells whether bitmap and region pages are of the same moment
 * @param nextReplica local number of the next replica
 * @param zeroedEnd blocks below were written once
 */
record AppliedState(LogPosition log, long mutation, int nextReplica, long zeroedEnd) {
    private static final int VERSION = 1;

    byte[] encode() {
        BinaryOutput out = new BinaryOutput(LogPosition.BYTES + 24);
        out.putByte(VERSION);
        log.encode(out);
        out.putLong(mutation).putInt(nextReplica).putLong(zeroedEnd);
        return out.toBytes();
    }

    static AppliedState decode(byte[] value) {
        BinaryInput in = new BinaryInput(value);
        int version = in.getByte();
        if (version != VERSION) {
            throw new MalformedMetadataException("applied position has version " + version + ", not " + VERSION);
        }
        return new AppliedState(LogPosition.decode(in), in.getLong(), in.getInt(), in.getLong());
    }
}
