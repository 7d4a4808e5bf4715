package io.gabion.process;

import java.util.Optional;

/** What a health probe asks a process, or one part of it. */
@FunctionalInterface
public interface Probe {
    /** Never has anything in its way. */
    Probe FINE = Optional::empty;

    /** What is in the way, for people; empty when nothing is. Never waits longer than a few seconds. */
    Optional<String> obstacle();
}
