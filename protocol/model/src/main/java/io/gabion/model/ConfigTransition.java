package io.gabion.model;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The rules between two successive records of a volume. Every configuration store enforces them on each swap, so that a
 * mistake of one proposer cannot become the truth.
 */
public final class ConfigTransition {
    private ConfigTransition() {}

    /** Returns one sentence per broken rule; empty when {@code next} may follow {@code current}. */
    public static List<String> violations(VolumeRecord current, VolumeRecord next) {
        VolumeConfig a = current.config();
        VolumeConfig b = next.config();
        List<String> broken = new ArrayList<>();
        refuseIf(broken, !current.id().equals(next.id()), "the volume id never changes");
        refuseIf(broken, !current.origin().equals(next.origin()), "the origin of a clone never changes");
        refuseIf(broken, b.version() != a.version() + 1, "version must rise by exactly one");
        refuseIf(broken, b.epoch() < a.epoch(), "epoch never falls");
        refuseIf(
                broken,
                membersChanged(a, b) && b.epoch() <= a.epoch(),
                "epoch must rise when primary or in-sync set change");
        refuseIf(broken, b.sizeBytes() < a.sizeBytes(), "size never shrinks");
        refuseIf(broken, next.spec().sizeBytes() < current.spec().sizeBytes(), "spec.sizeBytes never shrinks");
        refuseIf(broken, b.sessionFloor() < a.sessionFloor(), "sessionFloor never falls");
        refuseIf(broken, b.verifier() < a.verifier(), "verifier never falls");
        refuseIf(broken, b.snapSequence() < a.snapSequence(), "snapSequence never falls");
        refuseIf(broken, current.deleting() && !next.deleting(), "deletion is never taken back");
        // A volume being deleted gives its replicas up one by one; its in-sync set means nothing any more.
        refuseIf(
                broken,
                !next.deleting()
                        && b.inSync().stream()
                                .anyMatch(m -> next.nodeOf(m.replica()).isEmpty()),
                "every in-sync member must have a placement");
        return broken;
    }

    private static boolean membersChanged(VolumeConfig a, VolumeConfig b) {
        Set<InSyncMember> before = new HashSet<>(a.inSync());
        Set<InSyncMember> after = new HashSet<>(b.inSync());
        return !a.primary().equals(b.primary()) || !before.equals(after);
    }

    private static void refuseIf(List<String> broken, boolean condition, String rule) {
        if (condition) {
            broken.add(rule);
        }
    }
}
