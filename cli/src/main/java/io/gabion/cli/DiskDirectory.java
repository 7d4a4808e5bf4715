package io.gabion.cli;

import java.nio.file.Files;
import java.nio.file.Path;

/** Finds the disk in what people name: a node's data directory, or the disk's own. */
final class DiskDirectory {
    /** Where a node keeps its disk within its data directory. */
    private static final String DISK = "disk";

    private DiskDirectory() {}

    static Path of(Path named) {
        Path within = named.resolve(DISK);
        return Files.isDirectory(within) ? within : named;
    }
}
