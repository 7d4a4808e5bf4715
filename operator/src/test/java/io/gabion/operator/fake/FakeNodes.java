package io.gabion.operator.fake;

import io.gabion.api.record.VolumeRecords;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.model.InSyncMember;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeRecord;
import io.gabion.operator.record.VolumeApi;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Storage nodes that do at once what real ones do to a record: erase, drop, promote, join, grow. */
public final class FakeNodes {
    private static final int MAX_ROUNDS = 50;

    private final VolumeApi api;
    private final Set<NodeName> alive = new TreeSet<>();

    public FakeNodes(VolumeApi api, String... names) {
        this.api = api;
        for (String name : names) {
            alive.add(new NodeName(name));
        }
    }

    public void kill(String node) {
        alive.remove(new NodeName(node));
    }

    public void revive(String node) {
        alive.add(new NodeName(node));
    }

    /** Acts on one volume until nothing is left to do. Returns whether anything was done. */
    public boolean act(String volume) {
        boolean acted = false;
        for (int round = 0; round < MAX_ROUNDS; round++) {
            Optional<Volume> standing = api.read(volume);
            Optional<VolumeRecord> record = standing.flatMap(VolumeRecords::record);
            Optional<VolumeRecord> next = record.flatMap(r -> next(standing.get(), r));
            if (next.isEmpty()) {
                return acted;
            }
            api.swap(standing.get(), next.get());
            acted = true;
        }
        throw new IllegalStateException("the nodes find no end with " + volume);
    }

    private Optional<VolumeRecord> next(Volume volume, VolumeRecord record) {
        Map<String, String> labels = volume.getMetadata().getLabels() == null
                ? Map.of()
                : volume.getMetadata().getLabels();
        for (NodeName node : alive) {
            if (!labels.containsKey(GabionApi.replicaLabel(node.value()))) {
                continue;
            }
            Optional<VolumeRecord> left = leave(record, node);
            if (left.isPresent()) {
                return left;
            }
        }
        return record.deleting() ? Optional.empty() : lead(record);
    }

    private static Optional<VolumeRecord> leave(VolumeRecord record, NodeName node) {
        Set<ReplicaPlacement> gone = new HashSet<>();
        for (ReplicaPlacement copy : record.placement()) {
            boolean condemned = record.deleting()
                    || (record.removed().contains(copy)
                            && record.config().member(copy.replica()).isEmpty());
            if (copy.node().equals(node) && condemned) {
                gone.add(copy);
            }
        }
        record.removed().stream()
                .filter(c -> c.node().equals(node)
                        && (record.deleting()
                                || record.config().member(c.replica()).isEmpty()))
                .forEach(gone::add);
        return gone.isEmpty()
                ? Optional.empty()
                : Optional.of(record.withPlacement(
                        record.placement().stream()
                                .filter(c -> !gone.contains(c))
                                .toList(),
                        record.removed().stream().filter(c -> !gone.contains(c)).toList(),
                        node + "/leave"));
    }

    private Optional<VolumeRecord> lead(VolumeRecord record) {
        VolumeConfig config = record.config();
        boolean leads = record.primaryNode().filter(alive::contains).isPresent();
        if (!leads) {
            return config.inSync().stream()
                    .filter(m ->
                            record.nodeOf(m.replica()).filter(alive::contains).isPresent())
                    .findFirst()
                    .map(m -> record.withConfig(config.withMembers(m.replica(), alone(record, m), "node/promote")));
        }
        List<InSyncMember> kept = config.inSync().stream()
                .filter(m -> record.removed().stream()
                                .noneMatch(c -> c.replica().equals(m.replica()))
                        && record.nodeOf(m.replica()).filter(alive::contains).isPresent())
                .toList();
        if (kept.size() < config.inSync().size()) {
            boolean enough = kept.size() >= record.spec().minInSync();
            boolean condemned = config.inSync().stream().anyMatch(m -> record.removed().stream()
                    .anyMatch(c -> c.replica().equals(m.replica())));
            if (enough || condemned) {
                return Optional.of(record.withConfig(config.withMembers(config.primary(), kept, "node/drop")));
            }
        }
        for (ReplicaPlacement copy : record.placement()) {
            if (alive.contains(copy.node())
                    && !record.removed().contains(copy)
                    && config.member(copy.replica()).isEmpty()) {
                List<InSyncMember> joined = new ArrayList<>(config.inSync());
                joined.add(new InSyncMember(copy.replica(), config.version()));
                return Optional.of(record.withConfig(config.withMembers(config.primary(), joined, "node/join")));
            }
        }
        return config.sizeBytes() < record.spec().sizeBytes()
                ? Optional.of(
                        record.withConfig(config.withSizeBytes(record.spec().sizeBytes(), "node/grow")))
                : Optional.empty();
    }

    private List<InSyncMember> alone(VolumeRecord record, InSyncMember heir) {
        return record.config().inSync().stream()
                .filter(m -> m.equals(heir)
                        || record.nodeOf(m.replica()).filter(alive::contains).isPresent())
                .toList();
    }
}
