package io.gabion.node.kubernetes;

import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.api.v1alpha1.VolumeConfiguration;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Volumes that concern this node: watched by their label, and read by name. A Volume that left the selection or was deleted
 * is only no longer remembered: what to do with its replica follows from a quorum read, and deletes nothing either.
 */
final class VolumeObjects implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(VolumeObjects.class);
    private static final long NO_RESYNC = 0;
    /** As the API server remembers it, without asking etcd: as good as a watch, and cheap. */
    private static final ListOptions FROM_CACHE =
            new ListOptionsBuilder().withResourceVersion("0").build();

    private final KubernetesClient client;
    private final ApiCalls calls;
    private final String label;
    private final SharedIndexInformer<Volume> informer;
    // The newest state known of each volume: where a patch starts from.
    private final Map<VolumeId, Volume> newest = new ConcurrentHashMap<>();

    VolumeObjects(KubernetesClient client, ApiCalls calls, NodeName self) {
        this.client = client;
        this.calls = calls;
        this.label = GabionApi.replicaLabel(self.value());
        this.informer = client.resources(Volume.class).withLabel(label).runnableInformer(NO_RESYNC);
    }

    /** Opens the watch; it is opened again for ever. */
    void watch(Consumer<VolumeRecord> listener) {
        informer.addEventHandler(new ResourceEventHandler<>() {
            @Override
            public void onAdd(Volume volume) {
                tell(volume, listener);
            }

            @Override
            public void onUpdate(Volume before, Volume volume) {
                tell(volume, listener);
            }

            @Override
            public void onDelete(Volume volume, boolean unknownFinalState) {
                id(volume).ifPresent(newest::remove);
            }
        });
        informer.exceptionHandler((started, failure) -> {
            LOG.warn("watch of the volumes lost, opening it again: {}", failure.getMessage());
            return true;
        });
        var unused = informer.start();
    }

    /** Tells what an open watch should have told long ago: its connection may be dead without a sign. Blocks. */
    void catchUp(Consumer<VolumeRecord> listener) {
        for (Volume volume : calls.call(() ->
                client.resources(Volume.class).withLabel(label).list(FROM_CACHE).getItems())) {
            Optional<Volume> known = id(volume).map(newest::get);
            if (known.isEmpty() || version(known.get()) < version(volume)) {
                tell(volume, listener);
            }
        }
    }

    private void tell(Volume volume, Consumer<VolumeRecord> listener) {
        try {
            keep(volume);
            VolumeRecords.record(volume).ifPresent(listener);
        } catch (IllegalArgumentException e) {
            LOG.error(
                    "record of volume {} is malformed: {}", volume.getMetadata().getName(), e.getMessage());
        }
    }

    private static Optional<VolumeId> id(Volume volume) {
        try {
            return Optional.of(VolumeRecords.volumeId(volume));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Watch events may be older than what a swap returned. */
    private void keep(Volume volume) {
        newest.merge(VolumeRecords.volumeId(volume), volume, (known, told) -> isOlder(told, known) ? known : told);
    }

    private static boolean isOlder(Volume told, Volume known) {
        return told.getMetadata().getUid().equals(known.getMetadata().getUid()) && version(told) < version(known);
    }

    /** Of its configuration; 0 when it has none. */
    static long version(Volume volume) {
        VolumeConfiguration config = volume.getStatus().getConfig();
        return config == null ? 0 : config.getVersion();
    }

    /** As last heard; may be old. */
    @Nullable
    Volume known(VolumeId volume) {
        return newest.get(volume);
    }

    /** Keeps what a swap returned. */
    void swapped(Volume volume) {
        keep(volume);
    }

    /** A quorum read that begins now; null when there is no such volume. Blocks. */
    @Nullable
    Volume read(VolumeId volume) {
        Volume known = newest.get(volume);
        if (known != null) {
            String name = known.getMetadata().getName();
            Volume found = calls.call(
                    () -> client.resources(Volume.class).withName(name).get());
            if (found != null && VolumeRecords.volumeId(found).equals(volume)) {
                newest.put(volume, found);
                return found;
            }
        }
        return find(volume);
    }

    /** By identity: another object may have adopted the data, or this node was never told of the volume. */
    private @Nullable Volume find(VolumeId volume) {
        List<Volume> found = calls.call(() -> client.resources(Volume.class)
                .withField("status.volumeId", volume.toString())
                .list()
                .getItems());
        if (found.isEmpty()) {
            newest.remove(volume);
            return null;
        }
        if (found.size() > 1) {
            throw new IllegalArgumentException("the Volumes "
                    + found.stream().map(v -> v.getMetadata().getName()).toList() + " all claim the data of " + volume
                    + ": delete all but the right one");
        }
        Volume only = found.getFirst();
        newest.put(volume, only);
        return only;
    }

    @Override
    public void close() {
        informer.stop();
    }
}
