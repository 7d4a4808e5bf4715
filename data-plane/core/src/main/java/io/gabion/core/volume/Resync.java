package io.gabion.core.volume;

import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.RegionState;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.port.Event;
import io.gabion.core.port.Notice;
import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.InSyncMember;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One attempt of a replica to become equal to an active primary: receives its stream and copies what differs. */
final class Resync {
    /** Nothing moved for this long although the link is up: start over. */
    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(15);

    /** The region table of a snapshot takes a pass over the volume's part of the index. */
    private static final long COMPARING_NANOS = TimeUnit.MINUTES.toNanos(10);

    private static final long PROGRESS_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Replica r;
    private final Outsider outsider;
    private final NodeName primary;
    private final StreamReceiver stream;
    private final long startNanos;
    /** Changes of our own after this point have to be compared too; ZERO when the whole tables have to be. */
    private final Lsn after;
    /** The copy is damaged: nothing that it says about itself is believed. */
    private final boolean distrusted;

    private final SnapshotResync snapshots;
    private BlockCopier copier;
    /** Own region table at a compare point, held back until the snapshots before it are equal. */
    private PeerMessage.@Nullable RegionsAt held;

    private Lsn heldAt = Lsn.ZERO;
    private boolean durable;
    private boolean begun;
    private boolean copied;
    private boolean stopped;
    private boolean reported;
    private long totalBytes;
    private long seenWork;
    private long movedAtNanos;
    private long progressAtNanos;

    Resync(Replica replica, Outsider outsider, NodeName primary, PeerMessage.JoinStart start) {
        this.r = replica;
        this.outsider = outsider;
        this.primary = primary;
        this.startNanos = replica.now;
        this.movedAtNanos = replica.now;
        this.progressAtNanos = replica.now + PROGRESS_NANOS;
        this.after = replica.wholeUpTo;
        this.distrusted = replica.own.status() == ReplicaStatus.FAULTED;
        Lsn position = new Lsn(start.epoch(), start.startSeq() - 1);
        replica.lastLsn = position;
        replica.session = start.session();
        replica.requests.replace(start.requests());
        ReplicaStatus status = distrusted ? ReplicaStatus.FAULTED : ReplicaStatus.CATCHING_UP;
        replica.persist(replica.ownAt(start.epoch(), status, position, start.requests()));
        replica.snapshots.join(start.snapshots());
        this.snapshots = new SnapshotResync(replica, start.epoch(), sources(), distrusted);
        replica.snapshots.doubtfulAfter(distrusted ? Lsn.ZERO : after).forEach(snapshots::add);
        this.stream = new StreamReceiver(replica, start.epoch(), primary, start.startSeq() - 1, new Points());
        this.copier = copierFor(List.of(), false);
        replica.appends.whenDurable(() -> {
            durable = true;
            snapshots.proceed();
            begin();
        });
    }

    private final class Points implements StreamReceiver.Points {
        @Override
        public void compare(long round) {
            atComparePoint(round);
        }

        /** The head may not be equal yet. */
        @Override
        public void snapshotTaken(SnapshotPoint snapshot) {
            r.snapshots.doubt(snapshot.number());
            snapshots.add(snapshot);
            if (durable) {
                snapshots.proceed();
            }
        }

        @Override
        public void snapshotDeleted(long number) {
            snapshots.deleted(number);
        }
    }

    private BlockCopier copierFor(List<ByteRange> ranges, boolean blind) {
        return new BlockCopier(r, stream.epoch, sources(), ranges, blind, null);
    }

    private List<NodeName> sources() {
        List<NodeName> nodes = new ArrayList<>();
        nodes.add(primary);
        for (InSyncMember member : r.cfg().inSync()) {
            Optional<NodeName> node = r.record.nodeOf(member.replica());
            if (node.isPresent() && !nodes.contains(node.get()) && r.peers.isUp(node.get())) {
                nodes.add(node.get());
            }
        }
        return nodes;
    }

    long epoch() {
        return stream.epoch;
    }

    boolean dependsOn(NodeName node) {
        return node.equals(primary) || copier.currentlyAsks(node) || snapshots.currentlyAsks(node);
    }

    void stop() {
        stopped = true;
        stream.stop();
        copier.stop();
        snapshots.stop();
    }

    // ---- what differs?
    /** The head comes last: what snapshots have in common with it is here by then. */
    private void begin() {
        if (stopped || !durable || begun || !snapshots.isDone()) {
            return;
        }
        begun = true;
        r.readRegionTable(event -> {
            if (!stopped && event instanceof Event.RegionTableRead table) {
                List<RegionState> regions = distrusted ? List.of() : table.regions();
                r.send(
                        primary,
                        new PeerMessage.DifferenceQuery(
                                r.volume,
                                stream.epoch,
                                r.me(),
                                distrusted ? Lsn.ZERO : after,
                                regions,
                                SnapshotPoint.HEAD));
            }
        });
    }

    private void differences(PeerMessage.Differences differences) {
        if (differences.snapshot() != SnapshotPoint.HEAD) {
            snapshots.differences(differences);
            return;
        }
        if (copied || copier.started()) {
            return;
        }
        if (!differences.fromChangeLog()) {
            copy(differences.ranges(), distrusted ? "full" : "region table");
            return;
        }
        r.readChanges(after, event -> {
            if (stopped || !(event instanceof Event.ChangesRead changes)) {
                return;
            }
            if (changes.ranges().isPresent()) {
                List<ByteRange> all = new ArrayList<>(differences.ranges());
                all.addAll(changes.ranges().get());
                copy(Ranges.unionByRegion(all), "change log");
            } else {
                r.wholeUpTo = Lsn.ZERO;
                askForTables();
            }
        });
    }

    private void askForTables() {
        r.readRegionTable(event -> {
            if (!stopped && event instanceof Event.RegionTableRead table) {
                r.send(
                        primary,
                        new PeerMessage.DifferenceQuery(
                                r.volume, stream.epoch, r.me(), Lsn.ZERO, table.regions(), SnapshotPoint.HEAD));
            }
        });
    }

    private void copy(List<ByteRange> ranges, String tier) {
        totalBytes = Ranges.bytes(ranges);
        r.notice(new Notice.ResyncStarted(r.cfg().primary(), tier, totalBytes));
        copier.stop();
        copier = copierFor(ranges, distrusted);
        copier.start();
        moved();
        completeIfCopied();
    }

    private void completeIfCopied() {
        if (!copied && copier.started() && copier.done() && snapshots.isDone()) {
            copied = true;
            r.send(primary, new PeerMessage.CopyComplete(r.volume, stream.epoch, r.me()));
        }
    }

    private void stillDifferent(PeerMessage.StillDifferent different) {
        if (!copied) {
            return;
        }
        copied = false;
        List<ByteRange> ranges = new ArrayList<>();
        long size = r.cfg().sizeBytes();
        for (ByteRange range : different.ranges()) {
            long length = Math.min(range.length(), size - range.offset());
            if (length > 0) {
                ranges.add(new ByteRange(range.offset(), length));
            }
        }
        copier.stop();
        copier = copierFor(ranges, false);
        totalBytes += Ranges.bytes(ranges);
        copier.start();
        moved();
        completeIfCopied();
    }

    private void atComparePoint(long round) {
        Lsn at = r.lastLsn;
        r.readRegionTable(event -> {
            if (!stopped && event instanceof Event.RegionTableRead table) {
                held = new PeerMessage.RegionsAt(r.volume, stream.epoch, r.me(), round, table.regions());
                heldAt = at;
                sayRegions();
                moved();
            }
        });
    }

    private void sayRegions() {
        PeerMessage.RegionsAt regions = held;
        if (regions != null && snapshots.isDoneThrough(heldAt)) {
            held = null;
            r.send(primary, regions);
        }
    }

    // ---- messages
    void peer(NodeName node, PeerMessage message) {
        if (message.epoch() != stream.epoch) {
            Payloads.release(message);
            return;
        }
        switch (message) {
            case PeerMessage.Replicate replicate when node.equals(primary) -> stream.replicate(replicate);
            case PeerMessage.Committed committed
            when node.equals(primary) -> stream.committed(committed.committedSeq());
            case PeerMessage.Differences differences -> differences(differences);
            case PeerMessage.Blocks blocks -> {
                if (!copier.blocks(blocks) && !snapshots.blocks(blocks)) {
                    Payloads.release(blocks.runs());
                }
                moved();
            }
            case PeerMessage.BlocksUnreadable unreadable -> {
                if (!copier.unreadable(unreadable)) {
                    snapshots.unreadable(unreadable);
                }
            }
            case PeerMessage.StillDifferent different -> stillDifferent(different);
            case PeerMessage other -> Payloads.release(other);
        }
    }

    private void moved() {
        movedAtNanos = r.now;
    }

    void spaceChanged() {
        stream.spaceChanged();
    }

    void endStep() {
        snapshots.endStep();
        long work = copier.work() + snapshots.work();
        if (work != seenWork) {
            seenWork = work;
            moved();
        }
        begin();
        completeIfCopied();
        sayRegions();
        stream.endStep();
    }

    void tick() {
        if (r.now >= progressAtNanos) {
            progressAtNanos = r.now + PROGRESS_NANOS;
            long[] bytes = bytes();
            if (copier.started() && !copied) {
                r.notice(new Notice.ResyncProgress(bytes[0], bytes[1], bytes[2]));
            }
        }
        if (copier.failed()) {
            outsider.startOver("no in-sync copy can read " + copier.unreadableRange());
        } else if (snapshots.failed()) {
            outsider.startOver("a snapshot cannot be made equal");
        } else if (r.now - movedAtNanos >= patienceNanos()) {
            outsider.startOver("nothing moved for " + TimeUnit.NANOSECONDS.toSeconds(patienceNanos()) + " s");
        }
    }

    long deadline() {
        return Math.min(progressAtNanos, movedAtNanos + patienceNanos());
    }

    private long patienceNanos() {
        return snapshots.isComparing() ? COMPARING_NANOS : STUCK_NANOS;
    }

    /** The replica was found in the in-sync set. */
    void finished() {
        if (copied && r.isMine(r.cfg()) && !reported) {
            reported = true;
            r.notice(new Notice.ResyncFinished(bytes()[1], TimeUnit.NANOSECONDS.toMillis(r.now - startNanos)));
        }
    }

    long[] bytes() {
        return new long[] {
            copier.comparedBytes(),
            copier.copiedBytes() + snapshots.copiedBytes(),
            Math.max(totalBytes, BlockGeometry.BLOCK_BYTES)
        };
    }
}
