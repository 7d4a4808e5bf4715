package io.gabion.agent.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.gabion.agent.linux.Descriptor;
import io.gabion.agent.linux.Errno;
import io.gabion.agent.linux.SystemCalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Shuts down the file system that is mounted from a device, wherever that is. A device that fails stops writes; reads of what the
 * kernel remembers would go on, with data that is out of date as soon as the volume is written elsewhere.
 *
 * <p>Mounting a device a second time gives access to the same file system, also when its mounts are in name spaces that are not
 * ours: a pod's.
 */
final class MountedFileSystem {
    /** What volumes are formatted with; others are left to the errors of the device. */
    private static final List<String> TYPES = List.of("ext4", "xfs");

    private static final List<Long> ACCESS = List.of(0L, SystemCalls.MS_RDONLY);
    private static final long FS_IOC_SHUTDOWN = 0x8004587DL;
    /** The journal is not written: the device takes nothing any more. */
    private static final int SHUTDOWN_WITHOUT_LOG_FLUSH = 2;

    private MountedFileSystem() {}

    /**
     * Must not be called for a device that nothing is mounted from: then it would mount it.
     *
     * @return false where it holds no file system that can be shut down
     */
    static boolean shutDown(String device) throws IOException {
        Path directory = Files.createTempDirectory("gabion-shutdown");
        try {
            for (String type : TYPES) {
                for (long access : ACCESS) {
                    long flags = SystemCalls.MS_NOSUID | SystemCalls.MS_NODEV | SystemCalls.MS_NOEXEC | access;
                    if (SystemCalls.mount(device, directory.toString(), type, flags, "") >= 0) {
                        shutDownAt(directory);
                        return true;
                    }
                }
            }
            return false;
        } finally {
            Files.deleteIfExists(directory);
        }
    }

    private static void shutDownAt(Path directory) throws IOException {
        try (Descriptor root = Descriptor.open(directory.toString(), SystemCalls.O_RDONLY);
                Arena arena = Arena.ofConfined()) {
            MemorySegment how = arena.allocate(JAVA_INT);
            how.set(JAVA_INT, 0, SHUTDOWN_WITHOUT_LOG_FLUSH);
            Errno.check(SystemCalls.ioctl(root.number(), FS_IOC_SHUTDOWN, how), "shutting the file system down");
        } finally {
            var _ = SystemCalls.unmount(directory.toString(), SystemCalls.MNT_DETACH);
        }
    }
}
