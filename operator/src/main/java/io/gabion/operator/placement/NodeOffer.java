package io.gabion.operator.placement;

import static java.util.Objects.requireNonNull;

import io.gabion.model.NodeName;
import java.util.List;

/**
 * What a node could do for a new copy.
 *
 * @param domain failure domain; two copies of a volume never share one. Empty when the node lacks the pool's label
 * @param ready its storage process serves
 * @param schedulable nobody asked to keep new copies away
 * @param draining copies are to leave it
 * @param load what it holds already
 */
public record NodeOffer(
        NodeName name,
        String domain,
        boolean ready,
        boolean schedulable,
        boolean draining,
        List<DiskOffer> disks,
        NodeLoad load) {
    public NodeOffer {
        requireNonNull(name, "name is null");
        requireNonNull(domain, "domain is null");
        requireNonNull(load, "load is null");
        disks = List.copyOf(disks);
    }
}
