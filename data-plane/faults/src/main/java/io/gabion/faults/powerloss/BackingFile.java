package io.gabion.faults.powerloss;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** Writes to the durable bytes of a file. */
final class BackingFile {
    private static final ByteBuffer ZEROS = ByteBuffer.allocate(1 << 20).asReadOnlyBuffer();
    private static final byte[] ONE_ZERO = {0};

    private BackingFile() {}

    static void write(FileChannel file, ByteBuffer data, long offset) throws IOException {
        long position = offset;
        while (data.hasRemaining()) {
            position += file.write(data, position);
        }
    }

    static void zero(FileChannel file, long start, long end) throws IOException {
        long position = start;
        while (position < end) {
            int length = (int) Math.min(ZEROS.capacity(), end - position);
            position += file.write(ZEROS.duplicate().limit(length), position);
        }
    }

    /** Makes the file at least this long; what is new reads as zeros and costs no space. */
    static void extend(FileChannel file, long sizeBytes) throws IOException {
        if (file.size() < sizeBytes) {
            write(file, ByteBuffer.wrap(ONE_ZERO), sizeBytes - 1);
        }
    }
}
