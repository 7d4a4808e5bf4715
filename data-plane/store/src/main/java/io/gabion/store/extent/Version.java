package io.gabion.store.extent;

import io.gabion.model.Lsn;

/** One version of one block: data at a place, or a hole. */
public record Version(boolean data, long epoch, long seq, long place, int crc) {
    static Version of(Chunk chunk, int i) {
        return new Version(chunk.state(i) == Chunk.DATA, chunk.epoch(i), chunk.seq(i), chunk.place(i), chunk.crc(i));
    }

    public Lsn lsn() {
        return new Lsn(epoch, seq);
    }

    /** True when both are the same version of the block with the same content, at whatever places. */
    boolean sameContent(Version other) {
        return data == other.data && epoch == other.epoch && seq == other.seq && crc == other.crc;
    }

    boolean isAfter(long otherEpoch, long otherSeq) {
        return epoch > otherEpoch || (epoch == otherEpoch && seq > otherSeq);
    }

    void putInto(Chunk chunk, int i) {
        if (data) {
            chunk.setData(i, epoch, seq, place, crc);
        } else {
            chunk.setTombstone(i, epoch, seq);
        }
    }
}
