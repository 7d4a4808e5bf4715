package io.gabion.operator.placement;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.Optional;

/**
 * A storage node as one volume sees it.
 *
 * @param lostSince when the node, or its disk of the volume's pool, was last seen to stop serving; empty while it serves
 */
public record NodeFacts(NodeOffer offer, Optional<Instant> lostSince) {
    public NodeFacts {
        requireNonNull(offer, "offer is null");
        requireNonNull(lostSince, "lostSince is null");
    }
}
