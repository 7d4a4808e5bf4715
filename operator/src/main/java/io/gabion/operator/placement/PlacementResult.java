package io.gabion.operator.placement;

import io.gabion.model.NodeName;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Nodes for the wished copies and why the other nodes were not taken.
 *
 * @param nodes each in another failure domain; the first is to lead. Fewer than wished when there are no more
 * @param reasons one sentence per node that cannot take a copy
 */
public record PlacementResult(int wished, List<NodeName> nodes, SortedMap<NodeName, String> reasons) {
    /** A condition's message must stay readable. */
    private static final int MAX_REASONS_SHOWN = 12;

    public PlacementResult {
        nodes = List.copyOf(nodes);
        reasons = Collections.unmodifiableSortedMap(new TreeMap<>(reasons));
    }

    public boolean isComplete() {
        return nodes.size() == wished;
    }

    /** For people: what is missing and each node's reason. */
    public String explanation() {
        String missing = (wished - nodes.size()) + " of " + wished + " copies cannot be placed";
        if (reasons.isEmpty()) {
            return missing + ": no node belongs to the pool";
        }
        String shown = reasons.entrySet().stream()
                .limit(MAX_REASONS_SHOWN)
                .map(e -> e.getKey() + ": " + e.getValue())
                .collect(Collectors.joining("; "));
        int more = reasons.size() - MAX_REASONS_SHOWN;
        return missing + ": " + shown + (more > 0 ? "; and " + more + " more nodes" : "");
    }
}
