package io.gabion.csi.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What is mounted where, as the kernel tells it: one line per mount, later ones lie over earlier ones.
 *
 * <pre>
 * 36 35 98:0 /root /mount/point rw,noatime shared:1 - ext4 /dev/loop3 rw,errors=continue
 *       device root  path       options             -  type source    options of the file system
 * </pre>
 */
public record MountTable(List<Mount> mounts) {
    private static final Path SOURCE = Path.of("/proc/self/mountinfo");
    private static final int FIXED_FIELDS = 6;

    /**
     * One mount.
     *
     * @param root which part of the file system is mounted; for a device node bound onto a file, the node's path
     */
    public record Mount(DeviceNumber device, String root, Path path, boolean readOnly, String type) {}

    public MountTable {
        mounts = List.copyOf(mounts);
    }

    public static MountTable read() {
        try {
            return parse(Files.readAllLines(SOURCE, StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new HostCommandException("cannot read " + SOURCE + ": " + e.getMessage(), e);
        }
    }

    static MountTable parse(List<String> lines) {
        List<Mount> mounts = new ArrayList<>(lines.size());
        for (String line : lines) {
            String[] fields = line.split(" ", -1);
            int separator = FIXED_FIELDS;
            while (separator < fields.length && !fields[separator].equals("-")) {
                separator++;
            }
            if (separator + 1 >= fields.length) {
                continue;
            }
            mounts.add(new Mount(
                    DeviceNumber.parse(fields[2]),
                    unescape(fields[3]),
                    Path.of(unescape(fields[4])),
                    List.of(fields[5].split(",", -1)).contains("ro"),
                    fields[separator + 1]));
        }
        return new MountTable(mounts);
    }

    /** The uppermost mount at a path. */
    public Optional<Mount> at(Path path) {
        return mounts.stream().filter(m -> m.path().equals(path)).reduce((_, later) -> later);
    }

    /** Every mount of the device's file system, staging path and targets alike. */
    public List<Mount> ofFileSystemOn(DeviceNumber device) {
        return mounts.stream().filter(m -> m.device().equals(device)).toList();
    }

    /** Every file that the device's node is bound onto. */
    public List<Mount> ofNode(DeviceNumber device) {
        return mounts.stream()
                .filter(m -> m.type().endsWith("tmpfs"))
                .filter(m -> DeviceNumber.of(m.path()).map(device::equals).orElse(false))
                .toList();
    }

    /** Space, tab, newline and backslash are written as octal numbers. */
    private static String unescape(String text) {
        if (text.indexOf('\\') < 0) {
            return text;
        }
        StringBuilder plain = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\' && i + 3 < text.length()) {
                plain.append((char) Integer.parseInt(text, i + 1, i + 4, 8));
                i += 3;
            } else {
                plain.append(c);
            }
        }
        return plain.toString();
    }
}
