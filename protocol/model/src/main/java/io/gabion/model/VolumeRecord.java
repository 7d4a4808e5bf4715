package io.gabion.model;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Optional;

/**
 * The one record of a volume in the configuration store. Swapped as a whole on {@code config.version}.
 *
 * @param placement the replicas that should exist
 * @param removed tombstones: replicas whose data may be deleted. Only a tombstone ever deletes a replica
 * @param deleting the volume is to be erased on every node; it serves nothing any more
 * @param origin the snapshot from which the volume was cloned; empty for a volume that began with zeros. Never changes
 */
public record VolumeRecord(
        VolumeId id,
        VolumeSpec spec,
        List<ReplicaPlacement> placement,
        List<ReplicaPlacement> removed,
        boolean deleting,
        VolumeConfig config,
        Optional<VolumeOrigin> origin) {
    public VolumeRecord {
        requireNonNull(id, "id is null");
        requireNonNull(spec, "spec is null");
        requireNonNull(config, "config is null");
        requireNonNull(origin, "origin is null");
        placement = List.copyOf(placement);
        removed = List.copyOf(removed);
    }

    /** Of a volume that is no clone. */
    public VolumeRecord(
            VolumeId id,
            VolumeSpec spec,
            List<ReplicaPlacement> placement,
            List<ReplicaPlacement> removed,
            boolean deleting,
            VolumeConfig config) {
        this(id, spec, placement, removed, deleting, config, Optional.empty());
    }

    /**
     * The epoch of the volume's first configuration, in which nothing is written. That of a clone is above all that it inherits,
     * so that whatever is written to it comes later.
     */
    public long foundingEpoch() {
        return origin.map(from -> from.at().epoch() + 1).orElse(1L);
    }

    public Optional<NodeName> nodeOf(ReplicaId replica) {
        return placement.stream()
                .filter(p -> p.replica().equals(replica))
                .map(ReplicaPlacement::node)
                .findFirst();
    }

    public Optional<ReplicaId> replicaOn(NodeName node) {
        return placement.stream()
                .filter(p -> p.node().equals(node))
                .map(ReplicaPlacement::replica)
                .findFirst();
    }

    /** Node of the current primary; empty only when the record was damaged by hand. */
    public Optional<NodeName> primaryNode() {
        return nodeOf(config.primary());
    }

    public VolumeRecord withConfig(VolumeConfig newConfig) {
        return new VolumeRecord(id, spec, placement, removed, deleting, newConfig, origin);
    }

    public VolumeRecord withSpec(VolumeSpec newSpec, String writer) {
        return new VolumeRecord(id, newSpec, placement, removed, deleting, config.withNextVersion(writer), origin);
    }

    public VolumeRecord withPlacement(
            List<ReplicaPlacement> newPlacement, List<ReplicaPlacement> newRemoved, String writer) {
        return new VolumeRecord(id, spec, newPlacement, newRemoved, deleting, config.withNextVersion(writer), origin);
    }

    public VolumeRecord withDeleting(String writer) {
        return new VolumeRecord(id, spec, placement, removed, true, config.withNextVersion(writer), origin);
    }
}
