package io.gabion.store;

import io.gabion.store.device.Superblock;
import java.io.IOException;
import java.util.UUID;

/** The superblock of an open disk, and its way to the disk. Safe for use by several threads; writing blocks. */
final class CurrentSuperblock {
    private final DiskFiles files;
    private Superblock current;

    CurrentSuperblock(DiskFiles files, Superblock current) {
        this.files = files;
        this.current = current;
    }

    synchronized Superblock get() {
        return current;
    }

    UUID salt() {
        return get().salt();
    }

    /** The index is durable up to a batch of the log: an index that knows less is from now on found to be damaged. */
    synchronized void checkpointed(long batch) throws IOException {
        if (batch > current.lastBatch()) {
            write(current.checkpointed(batch));
        }
    }

    /** From now on the disk is refused. */
    synchronized void beyondRepair() throws IOException {
        if (!current.damaged()) {
            write(current.beyondRepair());
        }
    }

    synchronized void closed(long lastBatch) throws IOException {
        write(current.closed(lastBatch));
    }

    private void write(Superblock next) throws IOException {
        files.writeSuperblock(next);
        current = next;
    }
}
