package io.gabion.core.volume;

import io.gabion.core.message.TailEntry;
import io.gabion.core.port.EffectSink;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.Notice;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.core.port.ReplicaRecord;
import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.InSyncMember;
import io.gabion.model.Lsn;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeOrigin;
import java.util.List;
import java.util.Optional;

/** How a replica begins: from what the store found, or from nothing. */
final class Start {
    private Start() {}

    static Replica created(
            VolumeReplica.Identity identity,
            PeerTable peers,
            SpaceGauge space,
            Event.Create create,
            long now,
            EffectSink effects) {
        VolumeConfig c = create.record().config();
        Optional<InSyncMember> listed = c.member(create.replica());
        // Nothing is ever written in the first epoch, so that having what the volume begins with is being in sync. Any
        // later
        // record that lists this replica means a copy that is not here: what is made in its place must never pass for
        // it.
        boolean founding = c.epoch() == create.record().foundingEpoch()
                && listed.map(m -> m.incarnation() == 0).orElse(false);
        ReplicaRecord late = first(
                create, c.version() + listed.map(InSyncMember::incarnation).orElse(0L), ReplicaStatus.EMPTY);
        ReplicaRecord own = founding ? first(create, 0, ReplicaStatus.IN_SYNC) : late;
        peers.started(now);
        Replica r = new Replica(identity, peers, space, own, now, effects);
        r.intact = founding;
        r.confirmed = true;
        create.record()
                .origin()
                .ifPresentOrElse(origin -> clone(r, origin, late), () -> r.append(new LogRecord.ReplicaChanged(own)));
        return r;
    }

    private static ReplicaRecord first(Event.Create create, long incarnation, ReplicaStatus status) {
        return new ReplicaRecord(
                create.record().id(),
                create.replica(),
                0,
                create.record(),
                incarnation,
                status,
                List.of(),
                Lsn.ZERO,
                SessionId.NONE,
                List.of());
    }

    /** A late replica has less to copy when it begins as a clone; a founder that cannot is none. */
    private static void clone(Replica r, VolumeOrigin origin, ReplicaRecord late) {
        r.beginning = true;
        r.cloneFrom(origin, event -> {
            r.beginning = false;
            r.reconsider = true;
            boolean done = event instanceof Event.Cloned cloned && cloned.done();
            if (!done) {
                r.own = late;
                r.intact = false;
                r.append(new LogRecord.ReplicaChanged(late));
            }
        });
    }

    static Replica recovered(
            VolumeReplica.Identity identity,
            PeerTable peers,
            SpaceGauge space,
            Event.Started started,
            long now,
            EffectSink effects) {
        RecoveredReplica found = started.recovered();
        ReplicaRecord own = found.record();
        peers.started(now);
        Replica r = new Replica(identity, peers, space, own, now, effects);
        r.lastLsn = found.lastLsn();
        r.committed = found.committed();
        r.snapshots.recovered(found.snapshots());
        r.tail.addAll(found.tail());
        VolumeConfig last = own.record().config();
        if (last.primary().equals(own.replica())
                && last.epoch() == own.position().epoch()) {
            // A primary only takes the new position once all members are equal: everything before it is committed.
            r.commitThrough(own.position());
        }
        r.requests.addAll(own.requests());
        r.requests.addAll(found.requests());
        for (TailEntry entry : found.tail()) {
            // Lower ones may have been overwritten by an activation or a join: what of them counts is in the record's
            // list.
            if (entry.lsn().isAfter(own.position())) {
                r.requests.add(entry.request());
            }
        }
        ReplicaStatus status = own.status();
        r.intact = found.intact() && (status == ReplicaStatus.IN_SYNC || status == ReplicaStatus.OUTDATED);
        r.wholeUpTo = r.intact ? r.committed : Lsn.ZERO;
        if (found.unclean() || !found.intact()) {
            ReplicaStatus next = found.intact() ? status : ReplicaStatus.FAULTED;
            r.persist(new ReplicaRecord(
                    own.volume(),
                    own.replica(),
                    own.promisedEpoch(),
                    own.record(),
                    own.incarnation() + 1,
                    next,
                    own.epochStarts(),
                    own.position(),
                    own.session(),
                    own.requests()));
            r.notice(
                    found.intact()
                            ? new Notice.Unclean(found.lastLsn())
                            : new Notice.Faulted("the copy is damaged: it needs a full resync"));
        }
        return r;
    }
}
