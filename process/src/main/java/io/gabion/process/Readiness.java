package io.gabion.process;

import static java.util.Objects.requireNonNull;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Whether a process serves, as it says itself; in the beginning it does not. Safe for any thread. */
public final class Readiness implements Probe {
    private volatile @Nullable String obstacle = "starting";

    public void ready() {
        obstacle = null;
    }

    public void notReady(String why) {
        obstacle = requireNonNull(why, "why is null");
    }

    @Override
    public Optional<String> obstacle() {
        return Optional.ofNullable(obstacle);
    }
}
