package io.gabion.store.log;

import io.gabion.store.metadata.BinaryInput;
import io.gabion.store.metadata.BinaryOutput;

/**
 * Where the log stands after batch {@code batch}: what is needed to write the next one, or to go on replaying.
 *
 * @param batch number of the last batch; 0: none
 * @param openCount of that batch
 * @param checksum of that batch's header; the next one repeats it
 * @param place block of the next header
 * @param segmentEnd end of the segment around {@code place}; the log owns all blocks from {@code place} up to there
 * @param nextSegment start of the segment behind that one, owned too
 * @param nextSegmentBlocks its length
 */
public record LogPosition(
        long batch,
        long openCount,
        int checksum,
        long place,
        long segmentEnd,
        long nextSegment,
        int nextSegmentBlocks) {
    public static final int BYTES = 48;

    public void encode(BinaryOutput out) {
        out.putLong(batch)
                .putLong(openCount)
                .putInt(checksum)
                .putLong(place)
                .putLong(segmentEnd)
                .putLong(nextSegment)
                .putInt(nextSegmentBlocks);
    }

    public static LogPosition decode(BinaryInput in) {
        return new LogPosition(
                in.getLong(), in.getLong(), in.getInt(), in.getLong(), in.getLong(), in.getLong(), in.getInt());
    }
}
