package io.gabion.cli.volume;

import io.gabion.model.InSyncMember;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeRecord;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What to do with a volume that does not serve any more, by what is left of it. Pure.
 *
 * <p>A copy that is in sync holds everything that was acknowledged: as long as one of them can come back, nothing is given up
 * here. Only when none does, an older copy may be made the volume, by a person who accepts what that loses.
 */
sealed interface RecoverPlan {
    /**
     * One copy as its node tells.
     *
     * @param role as the node calls it; empty when the node does not answer, or holds nothing of the volume
     */
    record Survivor(
            ReplicaPlacement placement,
            boolean answers,
            String role,
            String phase,
            long incarnation,
            long promisedEpoch,
            Lsn lastLsn,
            Lsn committed) {
        /** Complete as of some moment, so that it can be read, and copied from. */
        boolean isWhole() {
            return role.equals("primary") || role.equals("in-sync") || role.equals("outdated");
        }

        private boolean isListed(VolumeConfig config) {
            return config.isInSync(placement.replica(), incarnation);
        }
    }

    /** Nothing is wrong that a person would have to decide. */
    record Nothing(String reason) implements RecoverPlan {}

    /** A copy that is in sync is there: it takes over by itself, and nothing is lost. */
    record Waits(String reason) implements RecoverPlan {}

    /**
     * Make this copy the volume.
     *
     * @param others lost copies, which are made equal to it should they ever come back
     */
    record Promote(Survivor survivor, List<NodeName> others) implements RecoverPlan {
        public Promote {
            others = List.copyOf(others);
        }
    }

    /** No copy that answers can be read as a whole. */
    record Hopeless(String reason) implements RecoverPlan {}

    static RecoverPlan of(VolumeRecord record, List<Survivor> survivors) {
        if (record.deleting()) {
            return new Nothing("the volume is being deleted");
        }
        VolumeConfig config = record.config();
        Optional<Survivor> serving = survivors.stream()
                .filter(s -> s.role().equals("primary") && s.phase().equals("serving"))
                .findFirst();
        if (serving.isPresent()) {
            return new Nothing(
                    "the volume is served by " + serving.get().placement().node());
        }
        Optional<Survivor> inSync = survivors.stream()
                .filter(s -> s.answers() && s.isWhole() && s.isListed(config))
                .findFirst();
        if (inSync.isPresent()) {
            return new Waits("the copy on " + inSync.get().placement().node()
                    + " is in sync and holds everything that was acknowledged; it takes over by itself");
        }
        return survivors.stream()
                .filter(s -> s.answers() && s.isWhole())
                .max(Comparator.comparing(Survivor::lastLsn))
                .<RecoverPlan>map(
                        best -> new Promote(best, lost(record, best.placement().replica())))
                .orElseGet(() -> new Hopeless(
                        survivors.stream()
                                        .anyMatch(s -> s.answers() && !s.role().isEmpty())
                                ? "no copy that answers is complete as of any moment"
                                : "no node that holds a copy answers"));
    }

    private static List<NodeName> lost(VolumeRecord record, ReplicaId kept) {
        return record.placement().stream()
                .filter(p -> !p.replica().equals(kept))
                .map(ReplicaPlacement::node)
                .toList();
    }

    /**
     * The record in which the survivor alone is the volume. Everybody who had it open is shut out, because what they remember of
     * it may be gone; the attachments stand until they are taken away in the ordinary way.
     */
    static VolumeRecord promoted(VolumeRecord current, Survivor survivor, String writer) {
        VolumeConfig c = current.config();
        long generation = c.attachments().stream()
                .mapToLong(attachment -> attachment.generation() + 1)
                .max()
                .orElse(0);
        ReplicaId replica = survivor.placement().replica();
        return current.withConfig(new VolumeConfig(
                c.version() + 1,
                Math.max(c.epoch(), survivor.promisedEpoch()) + 1,
                replica,
                List.of(new InSyncMember(replica, survivor.incarnation())),
                c.verifier() + 1,
                c.sizeBytes(),
                Math.max(c.sessionFloor(), generation),
                c.attachments(),
                c.snapSequence(),
                writer));
    }
}
