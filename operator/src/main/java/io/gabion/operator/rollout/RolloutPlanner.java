package io.gabion.operator.rollout;

import io.gabion.model.NodeName;
import io.gabion.operator.rollout.RolloutSituation.NodePod;
import io.gabion.operator.rollout.RolloutSituation.VolumeState;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * One storage node at a time: never while another one is down, never while a volume with a copy there lacks a copy, and only
 * after it leads nothing that another copy could lead. Pure.
 */
public final class RolloutPlanner {
    private static final int MAX_NAMES_SHOWN = 5;

    private RolloutPlanner() {}

    public static RolloutStep plan(RolloutSituation at) {
        Set<NodeName> down = new TreeSet<>(at.lost());
        down.addAll(at.missing());
        at.pods().stream().filter(p -> !p.ready()).forEach(p -> down.add(p.node()));
        List<NodePod> outdated = at.pods().stream()
                .filter(p -> !p.current())
                .sorted(Comparator.comparing((NodePod p) -> !down.contains(p.node()))
                        .thenComparing(p -> led(at, p.node()).size())
                        .thenComparing(NodePod::node))
                .toList();
        if (outdated.isEmpty()) {
            return new RolloutStep.Done();
        }
        if (at.paused()) {
            return new RolloutStep.Blocked(true, outdated.size() + " storage nodes are outdated; spec.paused is true");
        }
        NodePod next = outdated.getFirst();
        Set<NodeName> others = new TreeSet<>(down);
        others.remove(next.node());
        if (!others.isEmpty()) {
            boolean restarted = others.stream()
                    .allMatch(n -> at.missing().contains(n)
                            || at.pods().stream().anyMatch(p -> p.node().equals(n) && p.current()));
            return restarted
                    ? new RolloutStep.Waiting("for " + others + " to serve again")
                    : new RolloutStep.Blocked(false, "other storage nodes are down: " + others);
        }
        if (down.contains(next.node())) {
            // It serves nothing; a new one can only be better.
            return new RolloutStep.Restart(next);
        }
        return restartServing(at, next);
    }

    private static RolloutStep restartServing(RolloutSituation at, NodePod next) {
        List<String> degraded = at.volumes().stream()
                .filter(v -> v.copies().contains(next.node()) && !v.isRedundant())
                .map(v -> v.name() + " (" + v.inSync().size() + "/" + v.wanted() + ")")
                .sorted()
                .toList();
        if (!degraded.isEmpty()) {
            int more = degraded.size() - MAX_NAMES_SHOWN;
            return new RolloutStep.Blocked(
                    false,
                    next.node() + " is next, but these volumes there lack copies in sync: "
                            + String.join(", ", degraded.subList(0, Math.min(degraded.size(), MAX_NAMES_SHOWN)))
                            + (more > 0 ? " and " + more + " more" : ""));
        }
        List<VolumeState> movable =
                led(at, next.node()).stream().filter(v -> v.heir().isPresent()).toList();
        return movable.isEmpty() ? new RolloutStep.Restart(next) : new RolloutStep.HandOver(next, movable);
    }

    private static Set<VolumeState> led(RolloutSituation at, NodeName node) {
        Set<VolumeState> led = new HashSet<>();
        at.volumes().stream()
                .filter(v -> v.leader().filter(node::equals).isPresent())
                .forEach(led::add);
        return led;
    }
}
