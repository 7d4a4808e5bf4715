package io.gabion.cli.volume;

import io.gabion.cli.cluster.NodeSurvey;
import io.gabion.cli.placement.Placement;
import io.gabion.cli.text.CommandFailure;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.PoolRecord;
import io.gabion.protocol.control.v1.DiskStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Which nodes could take a copy, and why the others could not.
 *
 * @param refused one reason per node that cannot
 */
record Candidates(List<Placement.Candidate> usable, List<String> refused) {
    Candidates {
        usable = List.copyOf(usable);
        refused = List.copyOf(refused);
    }

    /** @param without nodes that hold a copy already */
    static Candidates of(
            Map<NodeName, NodeSurvey.Answer> nodes,
            List<VolumeRecord> volumes,
            PoolRecord pool,
            Set<NodeName> without) {
        List<Placement.Candidate> usable = new ArrayList<>();
        List<String> refused = new ArrayList<>();
        for (NodeSurvey.Answer answer : nodes.values()) {
            NodeName node = answer.node().name();
            if (!pool.holds(node) || without.contains(node)) {
                continue;
            }
            if (answer.status().isEmpty()) {
                refused.add(answer.failure());
                continue;
            }
            OptionalLong free = answer.status().get().getDisksList().stream()
                    .filter(disk -> disk.getPool().equals(pool.name())
                            && disk.getReason().isEmpty())
                    .mapToLong(DiskStatus::getFreeBytes)
                    .max();
            if (free.isEmpty()) {
                refused.add("node " + node + " has no working disk in the pool");
            } else {
                int primaries = (int) volumes.stream()
                        .filter(v -> v.primaryNode().filter(node::equals).isPresent())
                        .count();
                usable.add(new Placement.Candidate(node, free.getAsLong(), primaries));
            }
        }
        return new Candidates(usable, refused);
    }

    /** Throws {@link CommandFailure} that names the option when there are too few. */
    List<NodeName> choose(int copies, String option, PoolRecord pool) {
        return switch (Placement.choose(usable, copies)) {
            case Placement.Choice.Chosen chosen -> chosen.nodes();
            case Placement.Choice.TooFew few ->
                throw new CommandFailure(option + ": " + few.wanted() + " more nodes are needed, the pool \""
                        + pool.name() + "\" offers " + few.available()
                        + (refused.isEmpty() ? "" : " (" + String.join("; ", refused) + ")")
                        + ": start more nodes or ask for fewer replicas");
        };
    }
}
