package io.gabion.store.device;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/** The two places of the superblock: files {@code superblock.a} and {@code superblock.b} of a disk's directory. */
public final class SuperblockSlots {
    private static final String[] NAMES = {"superblock.a", "superblock.b"};

    private final Path directory;

    public SuperblockSlots(Path directory) {
        this.directory = directory;
    }

    /** True when either file exists, whatever it holds. */
    public boolean exist() {
        return Files.exists(directory.resolve(NAMES[0])) || Files.exists(directory.resolve(NAMES[1]));
    }

    /** The valid one with the highest sequence; empty when neither is valid. */
    public Optional<Superblock> newest() throws IOException {
        Optional<Superblock> newest = Optional.empty();
        for (String name : NAMES) {
            Path path = directory.resolve(name);
            if (Files.exists(path) && Files.size(path) == Superblock.BYTES) {
                Optional<Superblock> found = decode(path);
                if (found.isPresent()
                        && (newest.isEmpty()
                                || found.get().sequence() > newest.get().sequence())) {
                    newest = found;
                }
            }
        }
        return newest;
    }

    /** Writes the slot that does not hold the predecessor; durable when it returns. */
    public void write(Superblock superblock) throws IOException {
        Path path = directory.resolve(NAMES[(int) (superblock.sequence() % NAMES.length)]);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(superblock.encode());
            while (bytes.hasRemaining()) {
                channel.write(bytes, bytes.position());
            }
            channel.force(true);
        }
        syncDirectory(directory);
    }

    /** Makes the names in a directory durable. */
    public static void syncDirectory(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static Optional<Superblock> decode(Path path) throws IOException {
        try {
            return Superblock.decode(Files.readAllBytes(path));
        } catch (IllegalArgumentException e) {
            throw new IOException(path + ": " + e.getMessage(), e);
        }
    }
}
