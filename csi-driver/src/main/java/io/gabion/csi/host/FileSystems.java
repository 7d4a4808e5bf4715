package io.gabion.csi.host;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** File systems on devices: finds, makes, checks, grows and shuts them down. */
public final class FileSystems {
    private static final Duration PROBE_LIMIT = Duration.ofSeconds(30);
    private static final Duration STAT_LIMIT = Duration.ofSeconds(5);
    private static final Duration SHUTDOWN_LIMIT = Duration.ofSeconds(5);
    /** The orchestrator repeats the call meanwhile and is told ABORTED; a replay of a large journal takes its time. */
    private static final Duration LONG_LIMIT = Duration.ofMinutes(10);

    private static final int BLKID_NOTHING_FOUND = 2;
    private static final int FSCK_CORRECTED = 1;
    private static final int FSCK_CORRECTED_REBOOT = 2;
    private static final int EXT4_BLOCK_BYTES = 4096;
    private static final Pattern EXT4_NUMBER = Pattern.compile("Block (count|size): +([0-9]{1,18})");
    private static final String RESIZE_NOT_PERMITTED = "Permission denied to resize";

    private final HostCommands commands;
    private final FormatMark mark;

    public FileSystems(HostCommands commands) {
        this.commands = commands;
        this.mark = new FormatMark(commands);
    }

    /** Space and files of a mounted file system. */
    public record Usage(
            long totalBytes, long availableBytes, long usedBytes, long totalInodes, long freeInodes, long usedInodes) {}

    /** What the first blocks of the device look like, such as {@code ext4} or {@code partition table dos}; empty: nothing. */
    public Optional<String> signature(Path device) {
        HostCommands.Result result = commands.run(
                PROBE_LIMIT, List.of("blkid", "-p", "-o", "export", "-s", "TYPE", "-s", "PTTYPE", device.toString()));
        if (result.exitCode() == BLKID_NOTHING_FOUND) {
            return Optional.empty();
        }
        if (result.exitCode() != 0) {
            throw new HostCommandException(
                    "blkid cannot tell what is on " + device + ": " + result.summary() + " (exit code "
                            + result.exitCode() + ")",
                    null);
        }
        Map<String, String> found = new HashMap<>();
        result.output().lines().forEach(line -> {
            int equals = line.indexOf('=');
            if (equals > 0) {
                found.put(line.substring(0, equals), line.substring(equals + 1));
            }
        });
        return Optional.ofNullable(found.get("TYPE"))
                .or(() -> Optional.ofNullable(found.get("PTTYPE")).map(type -> "partition table " + type))
                .or(() -> Optional.of("something unknown"));
    }

    /** Whether {@link #make} began on the device and did not end: it holds nothing of a user, whatever it looks like. */
    public boolean isHalfMade(Path device, long sizeBytes) {
        return mark.isSet(device, sizeBytes);
    }

    /** Makes a file system on a device that holds nothing of a user; may be repeated after a crash. */
    public void make(FileSystemType type, Path device, long sizeBytes) {
        mark.set(device, sizeBytes);
        // What a crash left; without it the tools would refuse, and they shall refuse everything else.
        commands.runOrFail(PROBE_LIMIT, List.of("wipefs", "-q", "-a", device.toString()));
        List<String> command =
                switch (type) {
                    // Blocks as large as the volume's, no share reserved for root, nothing to discard on a new volume.
                    case EXT4 ->
                        List.of(
                                "mkfs.ext4",
                                "-q",
                                "-b",
                                Integer.toString(EXT4_BLOCK_BYTES),
                                "-m",
                                "0",
                                "-E",
                                "nodiscard",
                                device.toString());
                    case XFS -> List.of("mkfs.xfs", "-q", "-K", device.toString());
                };
        commands.runOrFail(LONG_LIMIT, command);
        mark.clear(device, sizeBytes);
    }

    /** Repairs what can be repaired without a decision. XFS replays its log when it is mounted and needs no check. */
    public void check(FileSystemType type, Path device) {
        switch (type) {
            case EXT4 -> checkExt4(List.of("e2fsck", "-p", device.toString()));
            case XFS -> {}
        }
    }

    private void checkExt4(List<String> command) {
        HostCommands.Result result = commands.run(LONG_LIMIT, command);
        if ((result.exitCode() & ~(FSCK_CORRECTED | FSCK_CORRECTED_REBOOT)) != 0) {
            throw new HostCommandException(
                    "the file system has errors that e2fsck -p does not repair: " + result.summary()
                            + "; attach the volume as raw block and run e2fsck by hand",
                    null);
        }
    }

    /**
     * Lets a mounted file system fill its device. False when the kernel does not allow it: it wants CAP_SYS_RESOURCE for ext4,
     * which some machines give to nobody; {@link #growUnmounted} needs none.
     */
    public boolean growMounted(FileSystemType type, Path device, Path mountPoint) {
        return switch (type) {
            case EXT4 -> growMountedExt4(device);
            case XFS -> {
                commands.runOrFail(LONG_LIMIT, List.of("xfs_growfs", "-d", mountPoint.toString()));
                yield true;
            }
        };
    }

    private boolean growMountedExt4(Path device) {
        HostCommands.Result result = commands.run(LONG_LIMIT, List.of("resize2fs", device.toString()));
        if (result.exitCode() == 0) {
            return true;
        }
        if (result.errors().contains(RESIZE_NOT_PERMITTED)) {
            return false;
        }
        throw new HostCommandException("resize2fs " + device + " failed: " + result.summary(), null);
    }

    /** Lets a file system that was checked fill its device before it is mounted, where that is possible: XFS grows mounted. */
    public void growUnmounted(FileSystemType type, Path device, long sizeBytes) {
        switch (type) {
            case EXT4 -> {
                if (ext4Bytes(device) < sizeBytes / EXT4_BLOCK_BYTES * EXT4_BLOCK_BYTES) {
                    // It insists on a full check first.
                    checkExt4(List.of("e2fsck", "-f", "-p", device.toString()));
                    commands.runOrFail(LONG_LIMIT, List.of("resize2fs", device.toString()));
                }
            }
            case XFS -> {}
        }
    }

    private long ext4Bytes(Path device) {
        Map<String, Long> numbers = new HashMap<>();
        commands.runOrFail(PROBE_LIMIT, List.of("dumpe2fs", "-h", device.toString()))
                .lines()
                .map(EXT4_NUMBER::matcher)
                .filter(Matcher::matches)
                .forEach(line -> numbers.put(line.group(1), Long.valueOf(line.group(2))));
        return numbers.getOrDefault("count", Long.MAX_VALUE / EXT4_BLOCK_BYTES)
                * numbers.getOrDefault("size", (long) EXT4_BLOCK_BYTES);
    }

    /** Asked in a child: on a dead device this waits for ever. */
    public Usage usage(Path mountPoint) {
        String[] values = commands.runOrFail(
                        STAT_LIMIT, List.of("stat", "-f", "-c", "%S %b %f %a %c %d", mountPoint.toString()))
                .strip()
                .split(" ", -1);
        long blockBytes = Long.parseLong(values[0]);
        long blocks = Long.parseLong(values[1]);
        long free = Long.parseLong(values[2]);
        long available = Long.parseLong(values[3]);
        long inodes = Long.parseLong(values[4]);
        long freeInodes = Long.parseLong(values[5]);
        return new Usage(
                blocks * blockBytes,
                available * blockBytes,
                (blocks - free) * blockBytes,
                inodes,
                freeInodes,
                inodes - freeInodes);
    }

    /**
     * Stops a file system without writing its log: every access fails from now on, cached pages included, and unmounting does
     * not wait for a device that will never answer.
     */
    public void shutDown(Path mountPoint) {
        commands.runOrFail(SHUTDOWN_LIMIT, List.of("xfs_io", "-x", "-c", "shutdown", mountPoint.toString()));
    }
}
