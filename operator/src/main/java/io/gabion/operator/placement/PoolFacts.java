package io.gabion.operator.placement;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/** What a volume needs to know of its pool. */
public record PoolFacts(PoolRules rules, Duration replacementDelay) {
    public PoolFacts {
        requireNonNull(rules, "rules are null");
        requireNonNull(replacementDelay, "replacementDelay is null");
    }
}
