package io.gabion.csi.host;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** File systems that the driver makes and mounts. */
public enum FileSystemType {
    EXT4("ext4", 1L << 20),
    /** mkfs.xfs makes none below 300 MiB. */
    XFS("xfs", 300L << 20);

    private final String word;
    private final long minimumBytes;

    FileSystemType(String word, long minimumBytes) {
        this.word = word;
        this.minimumBytes = minimumBytes;
    }

    public String word() {
        return word;
    }

    /** Smallest device that can hold one. */
    public long minimumBytes() {
        return minimumBytes;
    }

    /** By its word; an empty one is the default, ext4. */
    public static Optional<FileSystemType> find(String word) {
        return word.isEmpty()
                ? Optional.of(EXT4)
                : Arrays.stream(values()).filter(type -> type.word.equals(word)).findFirst();
    }

    /** All words, for people. */
    public static String words() {
        return Arrays.stream(values()).map(FileSystemType::word).collect(Collectors.joining(" or "));
    }
}
