package io.gabion.store;

import io.gabion.core.message.RequestId;
import io.gabion.core.message.TailEntry;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.store.metadata.BinaryInput;
import io.gabion.store.metadata.BinaryOutput;
import io.gabion.store.metadata.MalformedMetadataException;
import io.gabion.store.metadata.MetadataBatch;
import io.gabion.store.metadata.MetadataKeys;
import io.gabion.store.metadata.MetadataStore.MetadataCursor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Which ranges changed under which LSN, the newest {@link #MAX_ENTRIES} per replica. Values:
 * {@code version (1), request generation (8) and number (8), count (4), per range offset (8) and length (8)}.
 */
final class ChangeLog {
    /** Enough for minutes of absence under load; older history is answered by the region table. */
    static final int MAX_ENTRIES = 65_536;
    /** Entries are removed in groups of this size, so that each append pays a little. */
    private static final int REMOVE_GROUP = 256;

    private static final int VERSION = 1;

    private ChangeLog() {}

    static void add(
            MetadataBatch batch, ReplicaState replica, Lsn lsn, long sub, RequestId request, List<ByteRange> ranges) {
        if (!lsn.isAfter(replica.changeFloor())) {
            return;
        }
        BinaryOutput out = new BinaryOutput(21 + 16 * ranges.size());
        out.putByte(VERSION).putLong(request.generation()).putLong(request.number());
        out.putInt(ranges.size());
        for (ByteRange range : ranges) {
            out.putLong(range.offset()).putLong(range.length());
        }
        batch.put(MetadataKeys.change(replica.extents().number(), lsn, sub), out.array(), out.size());
        replica.changeAdded();
    }

    /** Removes the oldest entries when there are too many. Does not see those of {@code batch}. */
    static void trim(MetadataBatch batch, ReplicaState replica, MetadataCursor cursor) {
        if (replica.changes() < MAX_ENTRIES + REMOVE_GROUP) {
            return;
        }
        int number = replica.extents().number();
        cursor.seek(MetadataKeys.change(number, replica.changeFloor(), 0));
        Lsn last = replica.changeFloor();
        long removed = 0;
        while (removed < REMOVE_GROUP && cursor.valid() && MetadataKeys.isChangeOf(cursor.key(), number)) {
            last = MetadataKeys.changeLsn(cursor.key());
            batch.delete(cursor.key());
            removed++;
            cursor.next();
        }
        replica.changesRemoved(removed, last);
    }

    /** Ranges changed after {@code after}, merged and in order of offset. */
    static List<ByteRange> rangesAfter(MetadataCursor cursor, int replica, Lsn after) {
        List<ByteRange> ranges = new ArrayList<>();
        for (cursor.seek(MetadataKeys.change(replica, after, -1));
                cursor.valid() && MetadataKeys.isChangeOf(cursor.key(), replica);
                cursor.next()) {
            if (MetadataKeys.changeLsn(cursor.key()).isAfter(after)) {
                Value value = decode(cursor.value());
                ranges.addAll(value.ranges());
            }
        }
        return merge(ranges);
    }

    private static List<ByteRange> merge(List<ByteRange> ranges) {
        ranges.sort(Comparator.comparingLong(ByteRange::offset));
        List<ByteRange> merged = new ArrayList<>();
        for (ByteRange range : ranges) {
            if (range.isEmpty()) {
                continue;
            }
            ByteRange last = merged.isEmpty() ? null : merged.getLast();
            if (last != null && range.offset() <= last.end()) {
                long end = Math.max(last.end(), range.end());
                merged.set(merged.size() - 1, new ByteRange(last.offset(), end - last.offset()));
            } else {
                merged.add(range);
            }
        }
        return merged;
    }

    /** Operations after {@code committed}, oldest first, copied blocks included: they may not be everywhere either. */
    static List<TailEntry> tail(MetadataCursor cursor, int replica, Lsn committed) {
        List<TailEntry> tail = new ArrayList<>();
        for (cursor.seek(MetadataKeys.change(replica, committed, -1));
                cursor.valid() && MetadataKeys.isChangeOf(cursor.key(), replica);
                cursor.next()) {
            Lsn lsn = MetadataKeys.changeLsn(cursor.key());
            if (lsn.isAfter(committed)) {
                Value value = decode(cursor.value());
                if (value.ranges().isEmpty()) {
                    tail.add(new TailEntry(lsn, new ByteRange(0, 0), value.request()));
                }
                for (ByteRange range : value.ranges()) {
                    tail.add(new TailEntry(lsn, range, value.request()));
                }
            }
        }
        return tail;
    }

    /**
     * The newest requests of a session generation among the operations after {@code position}, oldest first. Operations up to
     * it may never have counted; the replica's record lists those that did. Looks at a bounded number of entries.
     */
    static List<RequestId> requests(MetadataCursor cursor, int replica, Lsn position, long generation, int most) {
        List<RequestId> requests = new ArrayList<>();
        int looked = 0;
        for (cursor.seekBack(MetadataKeys.change(replica, new Lsn(Long.MAX_VALUE, Long.MAX_VALUE), -1));
                cursor.valid()
                        && MetadataKeys.isChangeOf(cursor.key(), replica)
                        && requests.size() < most
                        && looked < 4 * most
                        && MetadataKeys.changeLsn(cursor.key()).isAfter(position);
                cursor.previous()) {
            looked++;
            RequestId request = decode(cursor.value()).request();
            if (request.generation() == generation && !request.equals(RequestId.NONE)) {
                requests.add(request);
            }
        }
        return requests.reversed();
    }

    /** For recovery by a scan: the regions of every known change were touched. */
    static void touchRegions(MetadataCursor cursor, ReplicaState replica) {
        int number = replica.extents().number();
        for (cursor.seek(MetadataKeys.change(number, Lsn.ZERO, 0));
                cursor.valid() && MetadataKeys.isChangeOf(cursor.key(), number);
                cursor.next()) {
            Lsn lsn = MetadataKeys.changeLsn(cursor.key());
            if (MetadataKeys.changeSub(cursor.key()) == 0) {
                for (ByteRange range : decode(cursor.value()).ranges()) {
                    replica.extents().regions().touch(range.firstBlock(), range.blockCount(), lsn.epoch(), lsn.seq());
                }
            }
        }
    }

    private record Value(RequestId request, List<ByteRange> ranges) {}

    private static Value decode(byte[] value) {
        BinaryInput in = new BinaryInput(value);
        int version = in.getByte();
        if (version != VERSION) {
            throw new MalformedMetadataException("change has version " + version + ", not " + VERSION);
        }
        long generation = in.getLong();
        RequestId request = new RequestId(generation, in.getLong());
        int count = in.getCount(16);
        List<ByteRange> ranges = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            long offset = in.getLong();
            ranges.add(new ByteRange(offset, in.getLong()));
        }
        return new Value(request, ranges);
    }
}
