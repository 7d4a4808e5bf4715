package io.gabion.agent.fuse;

import io.gabion.agent.linux.SystemCalls;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** What tests with real devices need of the machine. */
public final class Privileges {
    private Privileges() {}

    /** Skips the test where devices cannot be made. */
    public static void requireDevices() {
        Assumptions.assumeTrue(
                Files.isWritable(Path.of("/dev/fuse")) && Files.isWritable(Path.of("/dev/loop-control")),
                "needs root, /dev/fuse and /dev/loop-control");
        int probe = SystemCalls.open("/dev/fuse", SystemCalls.O_RDWR | SystemCalls.O_CLOEXEC);
        Assumptions.assumeTrue(probe >= 0, "/dev/fuse cannot be opened");
        var _ = SystemCalls.close(probe);
    }
}
