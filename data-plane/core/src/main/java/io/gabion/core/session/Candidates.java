package io.gabion.core.session;

import io.gabion.model.NodeName;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The nodes that may serve the volume, and when each is to be asked to open it. */
final class Candidates {
    private static final class Candidate {
        boolean linked;
        /** An Open is under way. */
        boolean asked;

        long askedAtNanos;
        long nextAskNanos;
        long pauseNanos;
    }

    private final SessionSettings settings;
    private final Map<NodeName, Candidate> byNode = new LinkedHashMap<>();

    Candidates(List<NodeName> nodes, SessionSettings settings) {
        this.settings = settings;
        for (NodeName node : nodes) {
            byNode.put(node, new Candidate());
        }
    }

    Iterable<NodeName> nodes() {
        return byNode.keySet();
    }

    /** Only these count from now on, and {@code kept}; returns the new ones. */
    List<NodeName> replace(List<NodeName> nodes, @Nullable NodeName kept) {
        byNode.keySet().removeIf(node -> !nodes.contains(node) && !node.equals(kept));
        List<NodeName> added =
                nodes.stream().filter(node -> !byNode.containsKey(node)).toList();
        for (NodeName node : added) {
            byNode.put(node, new Candidate());
        }
        return added;
    }

    void linkUp(NodeName node, long nowNanos) {
        Candidate candidate = byNode.get(node);
        if (candidate != null) {
            candidate.linked = true;
            candidate.asked = false;
            candidate.nextAskNanos = nowNanos;
            candidate.pauseNanos = settings.retryFirstNanos();
        }
    }

    void linkDown(NodeName node) {
        Candidate candidate = byNode.get(node);
        if (candidate != null) {
            candidate.linked = false;
            candidate.asked = false;
        }
    }

    /** The node answered its Open with something else than Opened: ask again after a growing pause. */
    void declined(NodeName node, long nowNanos) {
        Candidate candidate = byNode.get(node);
        if (candidate != null) {
            candidate.asked = false;
            candidate.nextAskNanos = nowNanos + candidate.pauseNanos;
            candidate.pauseNanos = Math.min(settings.retryMostNanos(), Math.max(candidate.pauseNanos, 1) * 2);
        }
    }

    /** The search is over; what the others still say to their Opens does not matter any more. */
    void opened() {
        for (Candidate candidate : byNode.values()) {
            candidate.asked = false;
            candidate.pauseNanos = settings.retryFirstNanos();
        }
    }

    /** Somebody says that this node serves. */
    void hint(NodeName node, long nowNanos) {
        Candidate candidate = byNode.get(node);
        if (candidate != null && candidate.linked && !candidate.asked) {
            candidate.nextAskNanos = Math.min(candidate.nextAskNanos, nowNanos + settings.retryFirstNanos());
        }
    }

    /** The search begins: everybody is asked at once. */
    void startOver(long nowNanos) {
        for (Candidate candidate : byNode.values()) {
            candidate.asked = false;
            candidate.nextAskNanos = nowNanos;
            candidate.pauseNanos = settings.retryFirstNanos();
        }
    }

    /** The next node to ask now, and marks it as asked; null when none is due. */
    @Nullable
    NodeName nextToAsk(long nowNanos, @Nullable NodeName except) {
        for (Map.Entry<NodeName, Candidate> each : byNode.entrySet()) {
            Candidate candidate = each.getValue();
            if (candidate.linked && !each.getKey().equals(except) && dueNanos(candidate) <= nowNanos) {
                candidate.asked = true;
                candidate.askedAtNanos = nowNanos;
                return each.getKey();
            }
        }
        return null;
    }

    long nextDueNanos(@Nullable NodeName except) {
        long due = Long.MAX_VALUE;
        for (Map.Entry<NodeName, Candidate> each : byNode.entrySet()) {
            if (each.getValue().linked && !each.getKey().equals(except)) {
                due = Math.min(due, dueNanos(each.getValue()));
            }
        }
        return due;
    }

    private long dueNanos(Candidate candidate) {
        return candidate.asked ? candidate.askedAtNanos + settings.openAgainNanos() : candidate.nextAskNanos;
    }
}
