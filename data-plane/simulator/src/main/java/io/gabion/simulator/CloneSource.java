package io.gabion.simulator;

import io.gabion.model.Lsn;
import io.gabion.model.VolumeOrigin;
import io.gabion.simulator.cluster.StorageHost;
import io.gabion.simulator.disk.ReplicaImage;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A snapshot of a volume from which another one is cloned. The volume itself rests meanwhile: what a clone shares with it never
 * changes.
 *
 * @param replicas what is kept beside the clone, by node
 * @param founders nodes whose replicas of the clone count as in sync from the beginning
 */
public record CloneSource(VolumeOrigin origin, Map<String, ReplicaImage> replicas, TreeSet<String> founders) {
    /** Every node that has a replica of the volume can found the clone. */
    public static CloneSource of(Simulation parent, long snapshot) {
        TreeMap<String, ReplicaImage> replicas = new TreeMap<>();
        for (StorageHost host : parent.hosts()) {
            if (host.disk().record().isPresent()) {
                replicas.put(host.name().value(), host.disk().image());
            }
        }
        Lsn at = Optional.ofNullable(parent.snapshots().live().get(snapshot)).orElseThrow();
        VolumeOrigin origin = new VolumeOrigin(parent.configuration().current().id(), snapshot, at);
        return new CloneSource(origin, replicas, new TreeSet<>(replicas.keySet()));
    }

    /** The same, but this node never had the volume. */
    public CloneSource withoutReplicaOn(String node, boolean founds) {
        Map<String, ReplicaImage> fewer = new TreeMap<>(replicas);
        fewer.remove(node);
        TreeSet<String> left = new TreeSet<>(founders);
        if (!founds) {
            left.remove(node);
        }
        return new CloneSource(origin, fewer, left);
    }

    /** What the clone holds in the beginning. */
    ReplicaImage content() {
        return replicas.values().stream()
                .flatMap(image -> image.asOf(origin.snapshot()).stream())
                .findFirst()
                .orElseThrow();
    }
}
