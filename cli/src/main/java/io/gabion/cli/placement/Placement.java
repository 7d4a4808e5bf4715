package io.gabion.cli.placement;

import io.gabion.model.NodeName;
import java.util.Comparator;
import java.util.List;

/** Chooses the nodes of a new copy. Pure. */
public final class Placement {
    private Placement() {}

    /**
     * A node that could hold a copy.
     *
     * @param freeBytes of its best disk in the wanted pool
     * @param primaries volumes that it leads now; the fewer, the rather it leads another one
     */
    public record Candidate(NodeName node, long freeBytes, int primaries) {}

    /** What came out. */
    public sealed interface Choice {
        /** @param nodes distinct; the first is to lead */
        record Chosen(List<NodeName> nodes) implements Choice {
            public Chosen {
                nodes = List.copyOf(nodes);
            }
        }

        /** There are fewer candidates than copies. */
        record TooFew(int wanted, int available) implements Choice {}
    }

    /** The {@code copies} candidates with most free bytes; among them the one with fewest primaries leads. */
    public static Choice choose(List<Candidate> candidates, int copies) {
        if (candidates.size() < copies) {
            return new Choice.TooFew(copies, candidates.size());
        }
        List<NodeName> chosen = candidates.stream()
                .sorted(Comparator.comparingLong(Candidate::freeBytes)
                        .reversed()
                        .thenComparing(Candidate::node))
                .limit(copies)
                .sorted(Comparator.comparingInt(Candidate::primaries))
                .map(Candidate::node)
                .toList();
        return new Choice.Chosen(chosen);
    }
}
