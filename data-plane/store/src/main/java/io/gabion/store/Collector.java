package io.gabion.store;

import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.extent.Chunk;
import io.gabion.store.extent.ExtentMap;
import io.gabion.store.metadata.MetadataBatch;
import io.gabion.store.metadata.MetadataKeys;
import io.gabion.store.metadata.MetadataStore.MetadataCursor;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * Removes in small steps what nobody sees any more: all of deleted replicas, and versions that no snapshot sees. How far it is
 * stands in the index, so a crash repeats a step at most. Belongs to the owner loop.
 */
final class Collector {
    private final ExtentMap extents;
    private final BlockAllocator allocator;
    private final MetadataCursor cursor;
    /** Local numbers of deleted replicas whose entries are still there. */
    private final TreeSet<Integer> deleted = new TreeSet<>();

    private final Set<ReplicaState> collecting = new LinkedHashSet<>();

    Collector(ExtentMap extents, BlockAllocator allocator, MetadataCursor cursor) {
        this.extents = extents;
        this.allocator = allocator;
        this.cursor = cursor;
    }

    /** For opening: finds the deleted replicas. */
    void load() {
        for (cursor.seek(MetadataKeys.kind('D'));
                cursor.valid() && MetadataKeys.isNumbered(cursor.key(), 'D');
                cursor.next()) {
            deleted.add(MetadataKeys.number(cursor.key()));
        }
    }

    /** For opening: goes on where it was. */
    void resume(ReplicaState replica) {
        if (replica.ancestry().isCollecting()) {
            collecting.add(replica);
        }
    }

    Set<Integer> deletedNumbers() {
        return deleted;
    }

    boolean hasWork() {
        return !deleted.isEmpty() || !collecting.isEmpty();
    }

    /** Pins of the replica are gone: every chunk is looked at. */
    void collectAll(ReplicaState replica) {
        replica.collectAll();
        collecting.add(replica);
    }

    /** Nobody reads from the replica any more. */
    void replicaDeleted(ReplicaState replica, MetadataBatch batch) {
        int number = replica.extents().number();
        batch.put(MetadataKeys.deleted(number), new byte[0]);
        deleted.add(number);
        collecting.remove(replica);
    }

    /** A step that looks at about {@code most} entries. Only between two batches of the log. */
    void step(int most, MetadataBatch batch) {
        if (!deleted.isEmpty()) {
            collectDeleted(most, batch);
        } else if (!collecting.isEmpty()) {
            collectVersions(collecting.iterator().next(), most, batch);
        }
    }

    private void collectVersions(ReplicaState replica, int most, MetadataBatch batch) {
        int number = replica.extents().number();
        int left = most;
        long chunk = replica.ancestry().collectFrom();
        while (left > 0 && chunk >= 0) {
            cursor.seek(MetadataKeys.extentsFrom(number, chunk * Chunk.BLOCKS));
            if (cursor.valid() && MetadataKeys.isExtentOf(cursor.key(), number)) {
                long found = MetadataKeys.extentBlock(cursor.key()) / Chunk.BLOCKS;
                left -= extents.collect(replica.extents(), found, replica.isRetired(), batch);
                chunk = found + 1;
            } else {
                chunk = -1;
            }
        }
        if (chunk < 0) {
            replica.collected();
            collecting.remove(replica);
        } else {
            replica.ancestry().collectedUpTo(chunk);
        }
        batch.put(MetadataKeys.ancestry(number), replica.ancestry().encode());
        batch.put(MetadataKeys.progress(number), replica.encodeProgress());
    }

    private void collectDeleted(int most, MetadataBatch batch) {
        int number = deleted.first();
        int left = most;
        for (char kind : new char[] {'E', 'L', 'R'}) {
            cursor.seek(MetadataKeys.numbered(kind, number));
            while (left > 0 && cursor.valid() && MetadataKeys.isOf(cursor.key(), kind, number)) {
                if (kind == 'E') {
                    freeExtent(cursor.key(), cursor.value(), number);
                }
                batch.delete(cursor.key());
                left--;
                cursor.next();
            }
        }
        if (left > 0) {
            batch.delete(MetadataKeys.deleted(number));
            deleted.remove(number);
        }
    }

    private void freeExtent(byte[] key, byte[] value, int number) {
        Chunk single = ExtentMap.decode(key, value, number);
        for (int i = 0; i < Chunk.BLOCKS; i++) {
            if (single.isData(i)) {
                allocator.free(single.place(i), 1);
            }
        }
    }
}
