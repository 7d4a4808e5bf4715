package io.gabion.core.volume;

import io.gabion.core.message.Operation;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.RequestId;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.message.TailEntry;
import io.gabion.core.port.Effect;
import io.gabion.core.port.LogRecord;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.SessionId;

/** Receives the stream of one epoch, in order, without gaps, and says what of it is durable. */
final class StreamReceiver {
    private final Replica r;
    final long epoch;
    final NodeName primary;
    private final Points points;

    private long applied;
    private long durable;
    private long committedSeq = -1;
    private long receivedBytes;
    private long limitBytes;
    private boolean unsaid;
    private boolean resumeAsked;
    private boolean stopped;

    /** Hears of operations that a resync cares for, right after they were appended. */
    interface Points {
        default void compare(long round) {}

        default void snapshotTaken(SnapshotPoint snapshot) {}

        default void snapshotDeleted(long number) {}
    }

    StreamReceiver(Replica replica, long epoch, NodeName primary, long appliedSeq, Points points) {
        this.r = replica;
        this.epoch = epoch;
        this.primary = primary;
        this.applied = appliedSeq;
        this.durable = appliedSeq;
        this.points = points;
        restartCredit();
    }

    private final class Landed extends AppendQueue.Pending {
        private final long seq;

        Landed(long seq) {
            this.seq = seq;
        }

        @Override
        void durable() {
            durable = seq;
            unsaid = true;
        }
    }

    void stop() {
        stopped = true;
    }

    long applied() {
        return applied;
    }

    long restartCredit() {
        receivedBytes = 0;
        limitBytes = r.space.grantBytes();
        return limitBytes;
    }

    /** The link to the primary is new: say where we are. */
    void resume() {
        resumeAsked = true;
        r.send(primary, new PeerMessage.Resume(r.volume, epoch, r.me(), r.own.incarnation(), applied, restartCredit()));
        unsaid = durable > 0;
    }

    /** Owns the operation's payload. */
    void replicate(PeerMessage.Replicate message) {
        long seq = message.seq();
        if (seq <= applied) {
            Payloads.release(message);
            unsaid = true;
            return;
        }
        if (seq > applied + 1) {
            Payloads.release(message);
            if (!resumeAsked) {
                resume();
            }
            return;
        }
        resumeAsked = false;
        applied = seq;
        apply(new Lsn(epoch, seq), message.operation());
        committed(message.committedSeq());
    }

    private void apply(Lsn lsn, Operation operation) {
        r.lastLsn = lsn;
        RequestId request = operation.request();
        r.requests.add(request);
        r.tail.add(new TailEntry(lsn, operation.range(), request));
        Landed landed = new Landed(lsn.seq());
        switch (operation) {
            case Operation.Write write -> {
                int length = write.payload().length();
                receivedBytes += length;
                r.space.take(length);
                r.append(new LogRecord.Written(lsn, r.committed, write.range(), request, write.payload()), landed);
            }
            case Operation.Trim trim ->
                r.append(new LogRecord.Trimmed(lsn, r.committed, trim.range(), request), landed);
            case Operation.OpenSession open -> {
                SessionId opened = open.session();
                if (r.session.isLowerThan(opened)) {
                    r.session = opened;
                }
                r.append(new LogRecord.SessionOpened(lsn, opened), landed);
            }
            case Operation.Grow grow -> r.append(new LogRecord.Grown(lsn, grow.sizeBytes()), landed);
            case Operation.TakeSnapshot take -> {
                r.snapshots.take(take.number(), lsn, landed);
                points.snapshotTaken(new SnapshotPoint(take.number(), lsn));
            }
            case Operation.DeleteSnapshot delete -> {
                r.snapshots.delete(delete.number(), lsn, landed);
                points.snapshotDeleted(delete.number());
            }
            case Operation.VerifyPoint point -> {
                r.append(new LogRecord.Marked(lsn), landed);
                r.emit(new Effect.Verify(point.id(), lsn));
            }
            case Operation.ComparePoint point -> {
                r.append(new LogRecord.Marked(lsn), landed);
                points.compare(point.round());
            }
        }
    }

    void committed(long seq) {
        long known = Math.min(seq, applied);
        if (known > committedSeq) {
            committedSeq = known;
            r.commitThrough(new Lsn(epoch, known));
        }
    }

    void spaceChanged() {
        unsaid = true;
    }

    /** Says once per step what became durable. */
    void endStep() {
        if (!unsaid || stopped) {
            return;
        }
        unsaid = false;
        limitBytes = Math.max(limitBytes, receivedBytes + r.space.grantBytes());
        r.send(primary, new PeerMessage.Durable(r.volume, epoch, r.me(), durable, limitBytes));
    }
}
