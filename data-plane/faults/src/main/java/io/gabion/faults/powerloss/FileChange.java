package io.gabion.faults.powerloss;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** One change of a file's content that no sync has made durable yet. */
sealed interface FileChange {
    /** Bytes written; {@code data} is null when all of them are zero, so that zero-filling a disk costs no memory. */
    record Written(long offset, long length, @Nullable MemorySegment data) implements FileChange {
        long end() {
            return offset + length;
        }
    }

    /** A punched hole or a zeroed range: metadata of the file system, so it survives whole or not at all. */
    record Zeroed(long offset, long length) implements FileChange {}

    /** Truncation or extension. */
    record Resized(long sizeBytes) implements FileChange {}
}
