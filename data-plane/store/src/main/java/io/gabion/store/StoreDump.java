package io.gabion.store;

import io.gabion.model.BlockGeometry;
import io.gabion.model.VolumeId;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.metadata.MetadataStore.MetadataCursor;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;

/** Reads a replica of a stopped disk as the plain bytes of its volume. */
public final class StoreDump {
    private StoreDump() {}

    /**
     * Writes every block of the volume's size, holes as zeros, each block checked. Throws {@link IOException} at the first block
     * that fails its checksum; what was written until then is right.
     */
    public static void raw(Path directory, VolumeId volume, OutputStream out) throws IOException {
        try (StoppedDisk disk = StoppedDisk.open(directory)) {
            ReplicaState replica = disk.recovered()
                    .index()
                    .find(volume)
                    .orElseThrow(() -> new IOException("volume " + volume + " has no replica in " + directory));
            long size = replica.record().record().config().sizeBytes();
            byte[] bytes = new byte[BlockGeometry.REGION_BYTES];
            try (MetadataCursor cursor = disk.metadata().cursor()) {
                RegionReader reader = new RegionReader(
                        disk.device(), cursor, replica.extents().layers(ReplicaExtents.HEAD));
                for (long offset = 0; offset < size; offset += BlockGeometry.REGION_BYTES) {
                    int length = (int) Math.min(BlockGeometry.REGION_BYTES, size - offset);
                    RegionReader.Content content =
                            reader.read((int) (offset / BlockGeometry.REGION_BYTES), length, (block, chunk, i) -> {});
                    if (!content.bad().isEmpty()) {
                        throw new IOException(content.bad().getFirst().reason());
                    }
                    content.bytes().get(0, bytes, 0, length);
                    out.write(bytes, 0, length);
                }
            }
        }
    }

    /** Volumes that have a replica on the stopped disk. */
    public static List<VolumeId> volumes(Path directory) throws IOException {
        try (StoppedDisk disk = StoppedDisk.open(directory)) {
            return disk.recovered().index().replicas().stream()
                    .map(replica -> replica.record().volume())
                    .sorted()
                    .toList();
        }
    }
}
