package io.gabion.agent.fuse;

import static java.util.Objects.requireNonNull;

import io.gabion.model.VolumeId;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the devices of volumes have their files.
 *
 * @param directory of the mount points
 */
record DevicePlaces(Path directory) {
    private static final Logger LOG = LoggerFactory.getLogger(DevicePlaces.class);

    DevicePlaces {
        requireNonNull(directory, "directory is null");
    }

    Path mountPoint(VolumeId volume) {
        return directory.resolve(volume.toString());
    }

    /** Requests that were read and not answered. */
    Path requestFile(VolumeId volume) {
        return requestDirectory().resolve(volume.toString());
    }

    private Path requestDirectory() {
        return directory.resolveSibling(directory.getFileName() + "-requests");
    }

    /** Clears what is left of devices that ended with a process whose descriptors nobody kept. */
    void removeLeftovers(Set<VolumeId> live) {
        removeLeftovers(directory, live, FuseMount::remove);
        removeLeftovers(requestDirectory(), live, Files::deleteIfExists);
    }

    /** Takes away one path. */
    @FunctionalInterface
    private interface Removal {
        void of(Path path) throws IOException;
    }

    private static void removeLeftovers(Path parent, Set<VolumeId> live, Removal removal) {
        if (!Files.isDirectory(parent)) {
            return;
        }
        try (DirectoryStream<Path> all = Files.newDirectoryStream(parent)) {
            for (Path each : all) {
                if (!live.contains(VolumeId.of(each.getFileName().toString()))) {
                    removal.of(each);
                }
            }
        } catch (IOException | DirectoryIteratorException | IllegalArgumentException e) {
            LOG.warn("{} holds something that is not ours: {}", parent, e.toString());
        }
    }
}
