package io.gabion.csi.host;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Mounts and unmounts, and makes and removes the places for it. Never removes anything that holds something. */
public final class Mounts {
    private static final Duration MOUNT_LIMIT = Duration.ofMinutes(2);
    private static final Duration UNMOUNT_LIMIT = Duration.ofSeconds(60);
    private static final Duration BIND_LIMIT = Duration.ofSeconds(30);
    /** Mounts that may lie over each other at one place: a repeated bind that was not noticed. */
    private static final int MAX_LAYERS = 8;

    private final HostCommands commands;

    public Mounts(HostCommands commands) {
        this.commands = commands;
    }

    public void mount(FileSystemType type, Path device, Path target, List<String> options) {
        List<String> command = new ArrayList<>(List.of("mount", "-t", type.word()));
        if (!options.isEmpty()) {
            command.add("-o");
            command.add(String.join(",", options));
        }
        command.add(device.toString());
        command.add(target.toString());
        commands.runOrFail(MOUNT_LIMIT, command);
    }

    /** Shows {@code source} at {@code target} as well. */
    public void bind(Path source, Path target, boolean readOnly) {
        commands.runOrFail(BIND_LIMIT, List.of("mount", "--bind", source.toString(), target.toString()));
        if (readOnly) {
            try {
                commands.runOrFail(BIND_LIMIT, List.of("mount", "-o", "remount,bind,ro", target.toString()));
            } catch (HostCommandException e) {
                // Never leave it writable where somebody asked for the opposite.
                commands.run(UNMOUNT_LIMIT, List.of("umount", target.toString()));
                throw e;
            }
        }
    }

    /** Unmounts everything at the path; no error when nothing is. */
    public void unmount(Path target) {
        for (int layer = 0; layer < MAX_LAYERS; layer++) {
            if (MountTable.read().at(target).isEmpty()) {
                return;
            }
            commands.runOrFail(UNMOUNT_LIMIT, List.of("umount", target.toString()));
        }
        if (MountTable.read().at(target).isPresent()) {
            throw new HostCommandException(
                    "more than " + MAX_LAYERS + " mounts lie over each other at " + target, null);
        }
    }

    /** Takes a mount out of the tree although it is in use; only for file systems that were shut down. */
    public void detach(Path target) {
        commands.runOrFail(UNMOUNT_LIMIT, List.of("umount", "-l", target.toString()));
    }

    /** A directory to mount at. */
    public static void makeDirectory(Path path) {
        try {
            Files.createDirectories(path.getParent() == null ? path : path.getParent());
            Files.createDirectory(
                    path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-x---")));
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                throw new HostCommandException(path + " exists and is no directory", e);
            }
        } catch (IOException e) {
            throw new HostCommandException("cannot make the directory " + path + ": " + e.getMessage(), e);
        }
    }

    /** An empty file to bind a device onto. */
    public static void makeFile(Path path) {
        try {
            if (path.getParent() != null) {
                Files.createDirectories(path.getParent());
            }
            Files.createFile(path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r-----")));
        } catch (FileAlreadyExistsException e) {
            if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
                throw new HostCommandException(path + " exists and is no file", e);
            }
        } catch (IOException e) {
            throw new HostCommandException("cannot make the file " + path + ": " + e.getMessage(), e);
        }
    }

    /** Removes what {@link #makeDirectory} or {@link #makeFile} made; a directory that is not empty is an error. */
    public static void removePlace(Path path) {
        try {
            if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) && Files.size(path) > 0) {
                throw new HostCommandException(path + " is not removed: it is a file with content", null);
            }
            Files.deleteIfExists(path);
        } catch (DirectoryNotEmptyException e) {
            throw new HostCommandException(path + " is not removed: it is not empty although nothing is mounted", e);
        } catch (IOException e) {
            throw new HostCommandException("cannot remove " + path + ": " + e.getMessage(), e);
        }
    }
}
