package io.gabion.model;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Optional;

/**
 * Who may do what with a volume: the only authority, changed only by compare-and-swap on {@code version}. Everything else in
 * the system is a cache of it.
 *
 * <p>Invariants checked here: the primary is in the in-sync set, the set is not empty, no member twice. Those between two
 * successive configurations are in {@link ConfigTransition}.
 *
 * @param version one higher at every change of the record
 * @param epoch one higher whenever primary or in-sync set change
 * @param verifier changes whenever a member that lost acknowledged, unflushed data becomes the source of truth (never in
 *     durable mode)
 * @param sizeBytes size that every in-sync member has reserved
 * @param sessionFloor sessions of a lower generation are refused
 * @param snapSequence highest number that was ever reserved for a snapshot: who wants one reserves the next number by a swap,
 *     so that a number belongs to one epoch and never names two different snapshots
 * @param writer who proposed this version (node name and a number unique to the proposal): how a proposer whose answer was
 *     lost recognises its own success
 */
public record VolumeConfig(
        long version,
        long epoch,
        ReplicaId primary,
        List<InSyncMember> inSync,
        long verifier,
        long sizeBytes,
        long sessionFloor,
        List<Attachment> attachments,
        long snapSequence,
        String writer) {
    public VolumeConfig {
        requireNonNull(primary, "primary is null");
        requireNonNull(writer, "writer is null");
        inSync = List.copyOf(inSync);
        attachments = List.copyOf(attachments);
        if (version < 1 || epoch < 1) {
            throw new IllegalArgumentException("version and epoch start at 1: " + version + ", " + epoch);
        }
        ReplicaId wanted = primary;
        if (inSync.stream().noneMatch(member -> member.replica().equals(wanted))) {
            throw new IllegalArgumentException("the primary " + primary + " is not in the in-sync set " + inSync);
        }
        if (inSync.stream().map(InSyncMember::replica).distinct().count() != inSync.size()) {
            throw new IllegalArgumentException("a replica is twice in the in-sync set " + inSync);
        }
    }

    public Optional<InSyncMember> member(ReplicaId replica) {
        return inSync.stream().filter(m -> m.replica().equals(replica)).findFirst();
    }

    public boolean isInSync(ReplicaId replica, long incarnation) {
        return inSync.contains(new InSyncMember(replica, incarnation));
    }

    /** The next version with another primary or in-sync set, hence the next epoch. */
    public VolumeConfig withMembers(ReplicaId newPrimary, List<InSyncMember> newInSync, String newWriter) {
        return new VolumeConfig(
                version + 1,
                epoch + 1,
                newPrimary,
                newInSync,
                verifier,
                sizeBytes,
                sessionFloor,
                attachments,
                snapSequence,
                newWriter);
    }

    public VolumeConfig withSizeBytes(long newSizeBytes, String newWriter) {
        return new VolumeConfig(
                version + 1,
                epoch,
                primary,
                inSync,
                verifier,
                newSizeBytes,
                sessionFloor,
                attachments,
                snapSequence,
                newWriter);
    }

    public VolumeConfig withAttachments(List<Attachment> newAttachments, long newSessionFloor, String newWriter) {
        return new VolumeConfig(
                version + 1,
                epoch,
                primary,
                inSync,
                verifier,
                sizeBytes,
                newSessionFloor,
                newAttachments,
                snapSequence,
                newWriter);
    }

    /** Reserves every number up to {@code newSnapSequence} for snapshots. */
    public VolumeConfig withSnapSequence(long newSnapSequence, String newWriter) {
        return new VolumeConfig(
                version + 1,
                epoch,
                primary,
                inSync,
                verifier,
                sizeBytes,
                sessionFloor,
                attachments,
                newSnapSequence,
                newWriter);
    }

    /** The same configuration under the next version: what a change of the record outside it (spec, placement) needs. */
    public VolumeConfig withNextVersion(String newWriter) {
        return withAttachments(attachments, sessionFloor, newWriter);
    }
}
