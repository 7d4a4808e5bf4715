package io.gabion.agent.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.gabion.agent.linux.Descriptor;
import io.gabion.agent.linux.Errno;
import io.gabion.agent.linux.SystemCalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A loop device over a volume's file: what file systems and pods see. It uses direct I/O, so that a write that it reports as
 * done is done in the volume, and clears itself when its last user is gone; the open descriptor in here is one of them.
 *
 * <p>Sectors have 512 bytes: disk images with partition tables attach unchanged and programs with O_DIRECT that align to 512
 * run. File systems write whole blocks of 4096 anyway (xfs when it is made with such sectors).
 */
final class LoopDevice {
    private static final String CONTROL = "/dev/loop-control";
    private static final int MAJOR = 7;
    private static final int MINOR_LIMIT = 1 << 20;
    private static final int BLOCK_DEVICE_MODE = 0060600;

    private static final long LOOP_GET_STATUS64 = 0x4C05;
    private static final long LOOP_SET_CAPACITY = 0x4C07;
    private static final long LOOP_CONFIGURE = 0x4C0A;
    private static final long LOOP_CTL_GET_FREE = 0x4C82;
    private static final long BLKGETSIZE64 = 0x80081272L;

    private static final int LO_FLAGS_READ_ONLY = 1;
    private static final int LO_FLAGS_AUTOCLEAR = 4;
    private static final int LO_FLAGS_DIRECT_IO = 16;

    /** Structure loop_config: file, block size, a loop_info64, 64 reserved bytes. */
    private static final int CONFIG_BYTES = 304;

    private static final int CONFIG_BLOCK_SIZE = 4;
    private static final int CONFIG_INFO = 8;
    private static final int INFO_BYTES = 232;
    private static final int INFO_NUMBER = 40;
    private static final int INFO_FLAGS = 52;
    private static final int INFO_NAME = 56;
    private static final int NAME_BYTES = 64;
    private static final int SECTOR_BYTES = 512;
    /** Others may take the free device that the kernel named; so many do not at once. */
    private static final int MAX_ATTEMPTS = 64;

    private final int number;
    private final Descriptor descriptor;

    private LoopDevice(int number, Descriptor descriptor) {
        this.number = number;
        this.descriptor = descriptor;
    }

    /**
     * Puts a free loop device over the file.
     *
     * @param label shown by {@code losetup}; only for people
     */
    static LoopDevice attach(Path file, String label, boolean readOnly) throws IOException {
        int access = readOnly ? SystemCalls.O_RDONLY : SystemCalls.O_RDWR;
        try (Descriptor backing = Descriptor.open(file.toString(), access);
                Descriptor control = Descriptor.open(CONTROL, SystemCalls.O_RDWR)) {
            int result = 0;
            for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
                int number =
                        Errno.check(SystemCalls.ioctl(control.number(), LOOP_CTL_GET_FREE, 0), "no free loop device");
                Descriptor device = openNode(number, access);
                result = configure(device, backing, label, readOnly);
                if (result >= 0) {
                    return new LoopDevice(number, device);
                }
                device.close();
                if (result != -Errno.EBUSY) {
                    break;
                }
            }
            throw new IOException("loop device over " + file + ": " + Errno.text(-result));
        }
    }

    private static Descriptor openNode(int number, int access) throws IOException {
        Path node = Path.of(path(number));
        // In a container whose /dev is not the host's, only the devices of its start have nodes.
        if (Files.notExists(node) && number < MINOR_LIMIT) {
            long device = ((long) (number & ~0xff) << 12) | (MAJOR << 8) | (number & 0xff);
            int made = SystemCalls.makeNode(node.toString(), BLOCK_DEVICE_MODE, device);
            if (made < 0 && made != -Errno.EEXIST) {
                throw new IOException("device node " + node + " is missing and cannot be made: " + Errno.text(-made)
                        + "; mount the host's /dev");
            }
        }
        return Descriptor.open(node.toString(), access);
    }

    private static int configure(Descriptor device, Descriptor backing, String label, boolean readOnly) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment config = arena.allocate(CONFIG_BYTES, Long.BYTES);
            config.set(JAVA_INT_UNALIGNED, 0, backing.number());
            config.set(JAVA_INT_UNALIGNED, CONFIG_BLOCK_SIZE, SECTOR_BYTES);
            config.set(
                    JAVA_INT_UNALIGNED,
                    CONFIG_INFO + INFO_FLAGS,
                    LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO | (readOnly ? LO_FLAGS_READ_ONLY : 0));
            byte[] name = label.getBytes(US_ASCII);
            MemorySegment.copy(
                    MemorySegment.ofArray(name),
                    0,
                    config,
                    CONFIG_INFO + INFO_NAME,
                    Math.min(name.length, NAME_BYTES - 1));
            return SystemCalls.ioctl(device.number(), LOOP_CONFIGURE, config);
        }
    }

    /** The device of a descriptor that another process opened; fails where it is not a loop device any more. */
    static LoopDevice resume(Descriptor kept, String label) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(INFO_BYTES, Long.BYTES);
            Errno.check(SystemCalls.ioctl(kept.number(), LOOP_GET_STATUS64, info), "the kept loop device");
            MemorySegment name = info.asSlice(INFO_NAME, NAME_BYTES);
            int length = 0;
            while (length < NAME_BYTES && name.get(JAVA_BYTE, length) != 0) {
                length++;
            }
            String found = new String(name.asSlice(0, length).toArray(JAVA_BYTE), US_ASCII);
            if (!label.startsWith(found) || found.isEmpty()) {
                throw new IOException("the kept loop device is \"" + found + "\", not \"" + label + "\"");
            }
            return new LoopDevice(info.get(JAVA_INT_UNALIGNED, INFO_NUMBER), kept);
        }
    }

    private static String path(int number) {
        return "/dev/loop" + number;
    }

    /** {@code /dev/loopN}. */
    String path() {
        return path(number);
    }

    Descriptor descriptor() {
        return descriptor;
    }

    /** Takes the size of its file over. */
    void grow() throws IOException {
        Errno.check(SystemCalls.ioctl(descriptor.number(), LOOP_SET_CAPACITY, 0), "growing " + path());
    }

    long sizeBytes() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size = arena.allocate(Long.BYTES, Long.BYTES);
            Errno.check(SystemCalls.ioctl(descriptor.number(), BLKGETSIZE64, size), "size of " + path());
            return size.get(JAVA_LONG_UNALIGNED, 0);
        }
    }

    /** Does a mounted file system, or whoever else claimed the device for itself, hold it? */
    boolean isClaimed() {
        int result = SystemCalls.open(path(), SystemCalls.O_RDONLY | SystemCalls.O_EXCL | SystemCalls.O_CLOEXEC);
        if (result >= 0) {
            var _ = SystemCalls.close(result);
        }
        return result == -Errno.EBUSY;
    }
}
