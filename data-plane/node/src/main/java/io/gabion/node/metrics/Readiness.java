package io.gabion.node.metrics;

import static java.util.Objects.requireNonNull;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Whether the process serves, and why not. Safe for any thread. */
public final class Readiness {
    private volatile @Nullable String obstacle = "starting";

    public void ready() {
        obstacle = null;
    }

    public void notReady(String why) {
        obstacle = requireNonNull(why, "why is null");
    }

    /** Empty when the process serves. */
    public Optional<String> obstacle() {
        return Optional.ofNullable(obstacle);
    }
}
