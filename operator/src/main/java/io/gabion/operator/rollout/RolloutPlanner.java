package io.gabion.operator.rollout;

import io.gabion.model.NodeName;
import io.gabion.operator.rollout.RolloutSituation.NodePod;
import io.gabion.operator.rollout.RolloutSituation.VolumeState;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

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
        return down.contains(next.node()) ? restartDown(at, next) : restartServing(at, next);
    }

    /**
     * What serves nothing can only become better. But a process that this one does not reach, while its pod is ready, may serve
     * well: then it stays as long as volumes lack other copies than its own.
     */
    private static RolloutStep restartDown(RolloutSituation at, NodePod next) {
        List<VolumeState> counting = at.volumes().stream()
                .filter(v -> v.inSync().contains(next.node()) && !v.isRedundant())
                .toList();
        return next.ready() && !counting.isEmpty()
                ? new RolloutStep.Blocked(
                        false,
                        next.node()
                                + " is next and does not answer, but these volumes count on its copy and lack others: "
                                + copies(counting))
                : new RolloutStep.Restart(next);
    }

    private static RolloutStep restartServing(RolloutSituation at, NodePod next) {
        List<VolumeState> degraded = at.volumes().stream()
                .filter(v -> v.copies().contains(next.node()) && !v.isRedundant())
                .toList();
        if (!degraded.isEmpty()) {
            return new RolloutStep.Blocked(
                    false, next.node() + " is next, but these volumes there lack copies in sync: " + copies(degraded));
        }
        List<VolumeState> movable =
                led(at, next.node()).stream().filter(v -> v.heir().isPresent()).toList();
        return movable.isEmpty() ? new RolloutStep.Restart(next) : new RolloutStep.HandOver(next, movable);
    }

    private static String copies(List<VolumeState> volumes) {
        int more = volumes.size() - MAX_NAMES_SHOWN;
        return volumes.stream()
                        .map(v -> v.name() + " (" + v.inSync().size() + "/" + v.wanted() + ")")
                        .sorted()
                        .limit(MAX_NAMES_SHOWN)
                        .collect(Collectors.joining(", "))
                + (more > 0 ? " and " + more + " more" : "");
    }

    private static Set<VolumeState> led(RolloutSituation at, NodeName node) {
        Set<VolumeState> led = new HashSet<>();
        at.volumes().stream()
                .filter(v -> v.leader().filter(node::equals).isPresent())
                .forEach(led::add);
        return led;
    }
}
