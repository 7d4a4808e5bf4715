package io.gabion.agent.fuse;

import io.gabion.agent.linux.Descriptor;
import io.gabion.agent.linux.Errno;
import io.gabion.agent.linux.SystemCalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/** Mounts and unmounts the one-file file system of a volume, and says why a kernel cannot carry it. */
final class FuseMount {
    private static final String DEVICE = "/dev/fuse";
    private static final Path SETTINGS = Path.of("/proc/sys/fs/fuse");
    /** Each breaks the connection of a volume that waits longer than it for a failover. */
    private static final List<String> TIMEOUTS = List.of("default_request_timeout", "max_request_timeout");
    /** Dead mounts on top of each other that earlier processes can have left. */
    private static final int MAX_LEFTOVERS = 16;

    private FuseMount() {}

    /** Refuses where requests would be ended by time; names the setting. */
    static void checkSettings() throws IOException {
        for (String name : TIMEOUTS) {
            Path file = SETTINGS.resolve(name);
            try {
                String value = Files.readString(file).strip();
                if (!value.equals("0")) {
                    throw new IOException("fs.fuse." + name + " is " + value
                            + ": a volume that waits longer for a failover would get I/O errors; set it to 0");
                }
            } catch (NoSuchFileException olderKernel) {
                // A kernel without the setting has no such timeout.
            }
        }
    }

    static Descriptor open() throws IOException {
        return Descriptor.open(DEVICE, SystemCalls.O_RDWR | SystemCalls.O_NONBLOCK);
    }

    static void mount(Path directory, Descriptor descriptor, String label, boolean readOnly) throws IOException {
        clear(directory);
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        long flags = SystemCalls.MS_NOSUID
                | SystemCalls.MS_NODEV
                | SystemCalls.MS_NOEXEC
                | (readOnly ? SystemCalls.MS_RDONLY : 0);
        // Only root, whose processes alone may use the device, and no further permission checks.
        String options = "fd=" + descriptor.number() + ",rootmode=40000,user_id=0,group_id=0";
        Errno.check(
                SystemCalls.mount(label, directory.toString(), "fuse.gabion", flags, options), "mount of " + directory);
    }

    /** Takes away whatever is mounted there; users of the file keep it until they close it. */
    static void clear(Path directory) {
        int left = MAX_LEFTOVERS;
        while (left > 0 && SystemCalls.unmount(directory.toString(), SystemCalls.MNT_DETACH) >= 0) {
            left--;
        }
    }

    static void remove(Path directory) throws IOException {
        clear(directory);
        Files.deleteIfExists(directory);
    }
}
