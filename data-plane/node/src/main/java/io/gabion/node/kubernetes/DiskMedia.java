package io.gabion.node.kubernetes;

import io.gabion.api.v1alpha1.MediaClass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Finds out what kind of disk a directory is on. */
final class DiskMedia {
    private static final Path DEVICES = Path.of("/sys/dev/block");

    private DiskMedia() {}

    /** Empty when the kernel does not tell, as with network and memory file systems. */
    static Optional<MediaClass> of(Path directory) {
        try {
            if (!(Files.getAttribute(directory, "unix:dev") instanceof Long device)) {
                return Optional.empty();
            }
            // As glibc's major() and minor().
            long major = ((device >>> 8) & 0xfff) | ((device >>> 32) & ~0xfffL);
            long minor = (device & 0xff) | ((device >>> 12) & ~0xffL);
            Path block = DEVICES.resolve(major + ":" + minor);
            // A partition has no queue of its own.
            for (Path queue :
                    List.of(block.resolve("queue"), block.resolve("..").resolve("queue"))) {
                Path rotational = queue.resolve("rotational");
                if (Files.isReadable(rotational)) {
                    return Optional.of(
                            Files.readString(rotational).trim().equals("1") ? MediaClass.HDD : MediaClass.SSD);
                }
            }
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
            return Optional.empty();
        }
        return Optional.empty();
    }
}
