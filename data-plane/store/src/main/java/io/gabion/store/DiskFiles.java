package io.gabion.store;

import io.gabion.store.device.DeviceFile;
import io.gabion.store.device.Superblock;
import io.gabion.store.metadata.MetadataStore;
import java.io.IOException;
import java.util.Optional;

/** What a disk consists of: the seam under which tests put files that lose what was not synced. */
public interface DiskFiles {
    /** True when nothing of a disk is there, not even damaged. */
    boolean isEmpty() throws IOException;

    /** The newest valid superblock. */
    Optional<Superblock> superblock() throws IOException;

    /** Durable when it returns. */
    void writeSuperblock(Superblock superblock) throws IOException;

    /** Opens and locks the data file. With {@code createBytes} above 0 it is created with that length. */
    DeviceFile openData(long createBytes) throws IOException;

    /** Opens the index; created when it does not exist. */
    MetadataStore openMetadata() throws IOException;

    /** For messages. */
    String name();
}
