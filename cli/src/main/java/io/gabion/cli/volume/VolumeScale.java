package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.NodeSurvey;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.CommandFailure;
import io.gabion.cli.text.UsageFailure;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeRecord;
import io.gabion.model.VolumeSpec;
import io.gabion.protocol.control.PoolRecord;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "scale", description = "Changes how many copies a volume has, while it serves.")
final class VolumeScale implements Callable<Integer> {
    private final Session session;

    @Parameters(paramLabel = "NAME", description = "Name or id of the volume.")
    private String name = "";

    @Option(names = "--replicas", required = true, paramLabel = "N", description = "Wanted copies.")
    private int replicas;

    VolumeScale(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        if (replicas < 1 || replicas > VolumeSpec.MAX_REPLICAS) {
            throw new UsageFailure("--replicas: must be 1 to " + VolumeSpec.MAX_REPLICAS + ", not " + replicas);
        }
        try (Cluster cluster = session.connect()) {
            RecordAccess records = new RecordAccess(cluster);
            VolumeRecord scaled = records.change(records.volume(name), (current, writer) -> {
                if (current.deleting()) {
                    throw new CommandFailure("volume \"" + name + "\" is being deleted");
                }
                int surplus = kept(current).size() - replicas;
                return surplus < 0
                        ? grown(cluster, records, current, writer)
                        : reduced(current, surplus, replicas, writer);
            });
            session.output()
                    .show(
                            VolumeList.summary(scaled),
                            () -> "volume \"" + name + "\" is to have " + replicas + " copies: "
                                    + kept(scaled).stream()
                                            .map(p -> p.node().value())
                                            .toList()
                                    + "; progress: gabion volume describe " + name);
        }
        return 0;
    }

    /** Placements without a tombstone. */
    static List<ReplicaPlacement> kept(VolumeRecord volume) {
        return volume.placement().stream()
                .filter(p -> !volume.removed().contains(p))
                .toList();
    }

    private VolumeRecord grown(Cluster cluster, RecordAccess records, VolumeRecord current, String writer) {
        PoolRecord pool = records.pools().stream()
                .filter(p -> p.name().equals(current.spec().pool()))
                .findFirst()
                .orElseThrow(
                        () -> new CommandFailure("pool \"" + current.spec().pool() + "\" does not exist any more"));
        // A node whose old copy is still to be erased cannot take a new one.
        Set<NodeName> taken = new HashSet<>();
        current.placement().forEach(p -> taken.add(p.node()));
        current.removed().forEach(p -> taken.add(p.node()));
        var answers = NodeSurvey.ask(cluster, records.nodes().values(), Optional.empty());
        List<NodeName> more = Candidates.of(answers, records.volumes(), pool, taken)
                .choose(replicas - kept(current).size(), "--replicas", pool);
        List<ReplicaPlacement> placement = new ArrayList<>(current.placement());
        more.forEach(node -> placement.add(new ReplicaPlacement(new ReplicaId(UUID.randomUUID()), node)));
        return next(current, placement, current.removed(), replicas, writer);
    }

    /** Copies out of sync go first, the primary never. */
    static VolumeRecord reduced(VolumeRecord current, int surplus, int replicas, String writer) {
        List<ReplicaPlacement> victims = kept(current).stream()
                .filter(p -> !p.replica().equals(current.config().primary()))
                .sorted(Comparator.comparing((ReplicaPlacement p) ->
                        current.config().member(p.replica()).isPresent()))
                .limit(surplus)
                .toList();
        List<ReplicaPlacement> removed = new ArrayList<>(current.removed());
        removed.addAll(victims);
        return next(current, current.placement(), removed, replicas, writer);
    }

    private static VolumeRecord next(
            VolumeRecord current,
            List<ReplicaPlacement> placement,
            List<ReplicaPlacement> removed,
            int replicas,
            String writer) {
        VolumeSpec old = current.spec();
        // Who never chose a minimum keeps the rule of thumb.
        int minimum = old.minInSync() == VolumeSpec.defaultMinInSync(old.replicas())
                ? VolumeSpec.defaultMinInSync(replicas)
                : Math.min(old.minInSync(), replicas);
        VolumeSpec spec = new VolumeSpec(
                old.name(), old.sizeBytes(), replicas, minimum, old.pool(), old.onPoolFull(), old.recoveryPolicy());
        if (spec.equals(old) && placement.equals(current.placement()) && removed.equals(current.removed())) {
            return current;
        }
        return new VolumeRecord(
                current.id(),
                spec,
                placement,
                removed,
                false,
                current.config().withNextVersion(writer),
                current.origin());
    }
}
