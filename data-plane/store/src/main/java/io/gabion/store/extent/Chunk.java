package io.gabion.store.extent;

import io.gabion.model.BlockGeometry;
import io.gabion.model.VolumeId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The present state of the 32 blocks of a chunk. What is stored of it is always the same for the same state: maximal runs of
 * blocks with one version and, for data, consecutive places.
 */
public final class Chunk {
    public static final int BLOCKS = BlockGeometry.BLOCKS_PER_CHUNK;

    /** Never written. */
    public static final byte ABSENT = 0;

    public static final byte DATA = 1;
    /** Trimmed: reads as zeros, and has a version. */
    public static final byte TOMBSTONE = 2;

    /** Data of the volume from which this one was cloned; nothing of it is stored for this one. */
    public static final byte INHERITED = 3;

    private final byte[] state = new byte[BLOCKS];
    private final long[] place = new long[BLOCKS];
    private final long[] epoch = new long[BLOCKS];
    private final long[] seq = new long[BLOCKS];
    private final int[] crc = new int[BLOCKS];
    private VolumeId @Nullable [] origins;

    public byte state(int i) {
        return state[i];
    }

    /** True when the block has content, its own or inherited. */
    public boolean isData(int i) {
        return state[i] == DATA || state[i] == INHERITED;
    }

    /** True when the replica itself has a version of the block. */
    public boolean isOwn(int i) {
        return state[i] == DATA || state[i] == TOMBSTONE;
    }

    /** True when (epoch, seq) may take the place of what the block has. */
    boolean isOlder(int i, long otherEpoch, long otherSeq) {
        return !isOwn(i) || epoch[i] < otherEpoch || (epoch[i] == otherEpoch && seq[i] < otherSeq);
    }

    /** Volume under whose name inherited data was written; null for own data. */
    public @Nullable VolumeId inheritedFrom(int i) {
        VolumeId[] known = origins;
        return state[i] == INHERITED && known != null ? known[i] : null;
    }

    void setInherited(int i, Chunk from, VolumeId origin) {
        VolumeId[] known = origins;
        if (known == null) {
            known = new VolumeId[BLOCKS];
            origins = known;
        }
        known[i] = origin;
        state[i] = INHERITED;
        epoch[i] = from.epoch[i];
        seq[i] = from.seq[i];
        place[i] = from.place[i];
        crc[i] = from.crc[i];
    }

    public long place(int i) {
        return place[i];
    }

    public long epoch(int i) {
        return epoch[i];
    }

    public long seq(int i) {
        return seq[i];
    }

    public int crc(int i) {
        return crc[i];
    }

    void setData(int i, long newEpoch, long newSeq, long newPlace, int newCrc) {
        state[i] = DATA;
        epoch[i] = newEpoch;
        seq[i] = newSeq;
        place[i] = newPlace;
        crc[i] = newCrc;
    }

    void setTombstone(int i, long newEpoch, long newSeq) {
        state[i] = TOMBSTONE;
        epoch[i] = newEpoch;
        seq[i] = newSeq;
        place[i] = 0;
        crc[i] = 0;
    }

    void setAbsent(int i) {
        state[i] = ABSENT;
        epoch[i] = 0;
        seq[i] = 0;
        place[i] = 0;
        crc[i] = 0;
    }

    /** The runs as they are stored. */
    List<Entry> entries() {
        List<Entry> entries = new ArrayList<>();
        int start = 0;
        while (start < BLOCKS) {
            if (!isOwn(start)) {
                start++;
                continue;
            }
            int end = start + 1;
            while (end < BLOCKS && continues(end)) {
                end++;
            }
            entries.add(new Entry(start, end - start, state[start], epoch[start], seq[start], place[start]));
            start = end;
        }
        return entries;
    }

    private boolean continues(int i) {
        return state[i] == state[i - 1]
                && epoch[i] == epoch[i - 1]
                && seq[i] == seq[i - 1]
                && (state[i] == TOMBSTONE || place[i] == place[i - 1] + 1);
    }

    int[] checksums(int start, int blocks) {
        return Arrays.copyOfRange(crc, start, start + blocks);
    }

    /** One stored run; {@code start} counts from the start of the chunk. */
    record Entry(int start, int blocks, byte state, long epoch, long seq, long place) {}
}
