package io.gabion.store;

import java.util.Optional;

/** Outcome of writing and syncing one block: how long it took, or why it failed. */
public record ProbeResult(long nanos, Optional<String> failure) {}
