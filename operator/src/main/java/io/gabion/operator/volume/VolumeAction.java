package io.gabion.operator.volume;

import static java.util.Objects.requireNonNull;

import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeRecord;
import io.gabion.operator.failpoint.Step;
import java.util.List;
import java.util.Set;

/** One idempotent step for a volume. Doing it twice, or after somebody else did, harms nothing. */
public sealed interface VolumeAction {
    /** For people. */
    default String description() {
        return switch (this) {
            case Label(Set<NodeName> nodes) -> "copies on " + nodes;
            case Unlabel(Set<NodeName> nodes) -> "forgetting " + nodes;
            case Create(VolumeRecord first) ->
                "the first copies on "
                        + first.placement().stream().map(ReplicaPlacement::node).toList();
            case Swap(var _, var _, String why) -> why;
            case Bury(List<ReplicaPlacement> copies) ->
                "tombstones for " + copies.stream().map(ReplicaPlacement::node).toList();
            case HandOver(NodeName from, var _, NodeName to) -> "the lead from " + from + " to " + to;
            case Forget() -> "the end of the volume";
            case Rest() -> "nothing";
        };
    }

    /** Makes the volume visible to nodes; always before the record names them. */
    record Label(Set<NodeName> nodes) implements VolumeAction {
        public Label {
            nodes = Set.copyOf(nodes);
        }
    }

    /** Hides the volume from nodes that the record does not name any more. */
    record Unlabel(Set<NodeName> nodes) implements VolumeAction {
        public Unlabel {
            nodes = Set.copyOf(nodes);
        }
    }

    /** Writes the first record. */
    record Create(VolumeRecord first) implements VolumeAction {
        public Create {
            requireNonNull(first, "first is null");
        }
    }

    /**
     * Replaces the record by its successor.
     *
     * @param step what it is for
     * @param why for Events and the log
     */
    record Swap(VolumeRecord next, Step step, String why) implements VolumeAction {
        public Swap {
            requireNonNull(next, "next is null");
            requireNonNull(step, "step is null");
            requireNonNull(why, "why is null");
        }
    }

    /** Leaves word with nodes that do not answer: erase these copies when you are back. */
    record Bury(List<ReplicaPlacement> copies) implements VolumeAction {
        public Bury {
            copies = List.copyOf(copies);
        }
    }

    /** Asks the primary to hand over; best effort. */
    record HandOver(NodeName from, ReplicaId target, NodeName to) implements VolumeAction {
        public HandOver {
            requireNonNull(from, "from is null");
            requireNonNull(target, "target is null");
            requireNonNull(to, "to is null");
        }
    }

    /** Nothing is left of the volume: the object may go. */
    record Forget() implements VolumeAction {}

    /** Nothing to do now. */
    record Rest() implements VolumeAction {}
}
