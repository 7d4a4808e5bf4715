package io.gabion.store;

import io.gabion.core.port.Effect;
import io.gabion.model.BlockGeometry;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.device.BlockDevice;
import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.extent.ReplicaExtents;
import io.gabion.store.metadata.MetadataStore;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Executor;

/**
 * Digests a replica as it is at one point, from a view of the index whose places stay untouched until it is done. Belongs to
 * the owner loop; the reading is done elsewhere.
 */
final class Verification {
    private final Executor loop;
    private final Executor helper;
    private final BlockDevice device;
    private final DiskIndex index;
    private final BlockAllocator allocator;
    private final Readers readers;
    private final StoreEvents events;
    private final Damages damages;
    private volatile boolean stopped;
    private int running;

    Verification(Engine engine, Damages damages) {
        this.loop = engine.loop();
        this.helper = engine.helpers();
        this.device = engine.device();
        this.index = engine.index();
        this.allocator = engine.allocator();
        this.readers = engine.readers();
        this.events = engine.notifier().events();
        this.damages = damages;
    }

    /** Ends what runs soon; for a shutdown. */
    void stop() {
        stopped = true;
    }

    boolean isRunning() {
        return running > 0;
    }

    /** Digests the replica as it is after {@code at}, which is its head or pinned. */
    void start(VolumeId volume, ReplicaState replica, Lsn at, Effect.Verify verify) {
        MetadataStore.MetadataView view = index.metadata().view();
        long reader = readers.begin();
        List<ReplicaExtents.Layer> layers = replica.extents().layers(at);
        long sizeBytes = replica.record().record().config().sizeBytes();
        running++;
        helper.execute(() -> {
            List<BlockFetch.Bad> bad = new ArrayList<>();
            VerifyResult result = digest(view, layers, sizeBytes, verify, bad);
            loop.execute(() -> {
                running--;
                view.close();
                damages.found(replica, bad);
                readers.end(reader);
                allocator.reclaim(readers.oldest());
                events.verified(volume, result);
            });
        });
    }

    private VerifyResult digest(
            MetadataStore.MetadataView view,
            List<ReplicaExtents.Layer> layers,
            long sizeBytes,
            Effect.Verify verify,
            List<BlockFetch.Bad> bad) {
        try (MetadataStore.MetadataCursor cursor = view.cursor()) {
            MessageDigest whole = sha256();
            List<String> regions = new ArrayList<>();
            RegionReader regionReader = new RegionReader(device, cursor, layers);
            for (long offset = 0; offset < sizeBytes; offset += BlockGeometry.REGION_BYTES) {
                if (stopped) {
                    return VerifyResult.failed(verify.id(), verify.lsn(), sizeBytes, "the disk was closed meanwhile");
                }
                int length = (int) Math.min(BlockGeometry.REGION_BYTES, sizeBytes - offset);
                RegionReader.Content content =
                        regionReader.read((int) (offset / BlockGeometry.REGION_BYTES), length, (block, chunk, i) -> {});
                if (!content.bad().isEmpty()) {
                    bad.addAll(content.bad());
                    return VerifyResult.failed(
                            verify.id(),
                            verify.lsn(),
                            sizeBytes,
                            content.bad().getFirst().reason());
                }
                whole.update(content.bytes().duplicate());
                MessageDigest region = sha256();
                region.update(content.bytes().duplicate());
                regions.add(HexFormat.of().formatHex(region.digest()));
            }
            return new VerifyResult(
                    verify.id(),
                    verify.lsn(),
                    sizeBytes,
                    HexFormat.of().formatHex(whole.digest()),
                    regions,
                    java.util.Optional.empty());
        } catch (RuntimeException e) {
            return VerifyResult.failed(verify.id(), verify.lsn(), sizeBytes, String.valueOf(e.getMessage()));
        }
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
