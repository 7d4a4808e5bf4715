package io.gabion.operator.volume;

import io.gabion.model.NodeName;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeRecord;
import java.util.Optional;

/** Moves the lead to the preferred node, and away from a node that is being drained, when an in-sync copy can take it. */
final class Leading {
    private Leading() {}

    static Optional<VolumeAction> plan(VolumeSituation at, VolumeRecord record) {
        Optional<NodeName> leader = record.primaryNode();
        if (leader.isEmpty() || at.lostSince(leader.get()).isPresent()) {
            // A primary that does not answer cannot hand over; its followers promote themselves.
            return Optional.empty();
        }
        boolean mustGo = at.isDraining(leader.get());
        Optional<ReplicaPlacement> target = Copies.kept(record).stream()
                .filter(c -> !c.node().equals(leader.get())
                        && record.config().member(c.replica()).isPresent()
                        && at.lostSince(c.node()).isEmpty()
                        && !at.isDraining(c.node()))
                .filter(c -> mustGo || at.preferred().filter(c.node()::equals).isPresent())
                .min((a, b) -> a.node().compareTo(b.node()));
        return target.map(c -> new VolumeAction.HandOver(leader.get(), c.replica(), c.node()));
    }
}
