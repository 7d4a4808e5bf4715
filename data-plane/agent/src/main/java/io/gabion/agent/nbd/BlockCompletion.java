package io.gabion.agent.nbd;

/** Told once how a command ended; from any thread, also from within {@link BlockExport#submit}. Must not block or throw. */
@FunctionalInterface
public interface BlockCompletion {
    void complete(BlockOutcome outcome);
}
