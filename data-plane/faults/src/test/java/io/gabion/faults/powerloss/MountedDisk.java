package io.gabion.faults.powerloss;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/** A power-loss file system of one test, with the few file operations the tests need. */
final class MountedDisk implements AutoCloseable {
    static final int BLOCK_BYTES = 4096;

    final PowerLossFileSystem fileSystem;

    MountedDisk(Path directory) throws IOException {
        this(directory, PowerLossOptions.DEFAULT);
    }

    MountedDisk(Path directory, PowerLossOptions options) throws IOException {
        fileSystem = PowerLossFileSystem.mount(directory.resolve("backing"), directory.resolve("disk"), options);
    }

    Path path(String name) {
        return fileSystem.mountPoint().resolve(name);
    }

    /** The JDK's option for O_DIRECT, by name: the compiler warns about its package and cannot be told not to. */
    static OpenOption directOption() {
        try {
            return (OpenOption) Class.forName("com.sun.nio.file.ExtendedOpenOption")
                    .getField("DIRECT")
                    .get(null);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this JDK has no option for direct I/O", e);
        }
    }

    static byte[] block(int value) {
        byte[] block = new byte[BLOCK_BYTES];
        Arrays.fill(block, (byte) value);
        return block;
    }

    static FileChannel open(Path path, OpenOption... more) throws IOException {
        OpenOption[] options = Arrays.copyOf(more, more.length + 3);
        options[more.length] = StandardOpenOption.READ;
        options[more.length + 1] = StandardOpenOption.WRITE;
        options[more.length + 2] = StandardOpenOption.CREATE;
        return FileChannel.open(path, options);
    }

    /** Creates a file of these bytes, durable. */
    Path durableFile(String name, byte[] bytes) throws IOException {
        Path path = path(name);
        try (FileChannel file = open(path)) {
            write(file, bytes, 0);
            file.force(true);
        }
        return path;
    }

    static void write(FileChannel file, byte[] bytes, long offset) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            offset += file.write(buffer, offset);
        }
    }

    static void syncDirectory(Path path) throws IOException {
        try (FileChannel directory = FileChannel.open(path, StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    byte[] read(String name) throws IOException {
        return Files.readAllBytes(path(name));
    }

    @Override
    public void close() {
        fileSystem.close();
    }
}
