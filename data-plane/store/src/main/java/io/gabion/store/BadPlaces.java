package io.gabion.store;

import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.log.StoredRecord.Quarantined;
import io.gabion.store.metadata.BinaryInput;
import io.gabion.store.metadata.BinaryOutput;
import io.gabion.store.metadata.MalformedMetadataException;
import io.gabion.store.metadata.MetadataBatch;
import io.gabion.store.metadata.MetadataKeys;
import io.gabion.store.metadata.MetadataStore.MetadataCursor;
import java.util.TreeMap;

/**
 * The places of the disk that are not used again, as the index holds them: {@code version (1) = 1 | origin volume (16) | block
 * (8) | lsn (16) | milliseconds since 1970 (8)} under the place. At most {@link
 * io.gabion.store.extent.Quarantine#MAX_PLACES}. Belongs to the owner loop.
 */
final class BadPlaces {
    private static final int VERSION = 1;
    private static final int BYTES = 49;

    private final BlockAllocator allocator;
    /** When each was found, by place. */
    private final TreeMap<Long, Long> foundMillis = new TreeMap<>();

    BadPlaces(BlockAllocator allocator) {
        this.allocator = allocator;
    }

    /** For opening: once the allocator knows which blocks hold data. */
    void load(MetadataCursor cursor) {
        for (cursor.seek(MetadataKeys.kind('Q'));
                cursor.valid() && MetadataKeys.isBadPlace(cursor.key());
                cursor.next()) {
            Quarantined bad = decode(MetadataKeys.place(cursor.key()), cursor.value());
            allocator.quarantine(bad.place());
            foundMillis.put(bad.place(), bad.millis());
        }
    }

    void apply(Quarantined bad, MetadataBatch batch) {
        // Live it is marked already: nothing may have used the place since it was found.
        allocator.quarantine(bad.place());
        if (allocator.isBad(bad.place())) {
            foundMillis.put(bad.place(), bad.millis());
            batch.put(MetadataKeys.badPlace(bad.place()), encode(bad));
        }
    }

    long count() {
        return foundMillis.size();
    }

    /** How many were found at {@code millis} or later. */
    long countSince(long millis) {
        return foundMillis.values().stream().filter(found -> found >= millis).count();
    }

    private static byte[] encode(Quarantined bad) {
        BinaryOutput out = new BinaryOutput(BYTES);
        out.putByte(VERSION).putUuid(bad.volume().value()).putLong(bad.block());
        out.putLong(bad.lsn().epoch()).putLong(bad.lsn().seq()).putLong(bad.millis());
        return out.toBytes();
    }

    private static Quarantined decode(long place, byte[] value) {
        BinaryInput in = new BinaryInput(value);
        int version = in.getByte();
        if (version != VERSION) {
            throw new MalformedMetadataException("bad place has version " + version + ", not " + VERSION);
        }
        VolumeId volume = new VolumeId(in.getUuid());
        long block = in.getLong();
        long epoch = in.getLong();
        return new Quarantined(volume, block, new Lsn(epoch, in.getLong()), place, in.getLong());
    }
}
