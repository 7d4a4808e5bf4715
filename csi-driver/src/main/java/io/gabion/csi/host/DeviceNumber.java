package io.gabion.csi.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;

/** Identity of a block device in the kernel: the same whatever its node in the file system is called. */
public record DeviceNumber(int major, int minor) {
    private static final int SECTOR_BYTES = 512;

    static DeviceNumber parse(String text) {
        int colon = text.indexOf(':');
        return new DeviceNumber(
                Integer.parseInt(text, 0, colon, 10), Integer.parseInt(text, colon + 1, text.length(), 10));
    }

    /** Of a device node; empty when there is none at the path. Reads the node, never the device. */
    public static Optional<DeviceNumber> of(Path node) {
        try {
            long mode = ((Number) Files.getAttribute(node, "unix:mode", LinkOption.NOFOLLOW_LINKS)).longValue();
            if ((mode & 0xF000) != 0x6000) {
                return Optional.empty();
            }
            long device = ((Number) Files.getAttribute(node, "unix:rdev", LinkOption.NOFOLLOW_LINKS)).longValue();
            return Optional.of(ofEncoded(device));
        } catch (IOException | UnsupportedOperationException e) {
            return Optional.empty();
        }
    }

    /** dev_t of Linux: 12 bits of the minor number surround the major one. */
    private static DeviceNumber ofEncoded(long device) {
        int major = (int) (((device >>> 8) & 0xFFF) | ((device >>> 32) & ~0xFFFL));
        int minor = (int) ((device & 0xFF) | ((device >>> 12) & ~0xFFL));
        return new DeviceNumber(major, minor);
    }

    /** Size of the device as the kernel knows it; asks sysfs, so that a dead device answers too. */
    public long sizeBytes() {
        Path file = Path.of("/sys/dev/block/" + this + "/size");
        try {
            return Long.parseLong(Files.readString(file).strip()) * SECTOR_BYTES;
        } catch (IOException | NumberFormatException e) {
            throw new HostCommandException("the size of device " + this + " cannot be read from " + file, e);
        }
    }

    @Override
    public String toString() {
        return major + ":" + minor;
    }
}
