package io.gabion.csi.health;

import java.util.Optional;

/** Whether the driver can do its work now. */
@FunctionalInterface
public interface Readiness {
    /** What it lacks, for people; empty when nothing. Never waits longer than a few seconds. */
    Optional<String> problem();
}
