package io.gabion.simulator.disk;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.ClientMessage.Extent;
import io.gabion.core.message.RegionState;
import io.gabion.core.message.RequestId;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.core.port.ReplicaRecord;
import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeOrigin;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The durable content of one replica, as the records applied so far make it: blocks with versions, region table, change log,
 * the replica's record. Owns no payload references.
 */
public final class ReplicaImage {
    private final BlockVersions blocks = new BlockVersions();
    private final TreeMap<Integer, RegionState> regions = new TreeMap<>();
    private final TreeSet<Long> damaged = new TreeSet<>();
    private final ChangeLog changes;
    private @Nullable ReplicaRecord record;
    private Lsn lastLsn = Lsn.ZERO;
    private Lsn committed = Lsn.ZERO;
    private SessionId session = SessionId.NONE;

    ReplicaImage(int maxChanges) {
        changes = new ChangeLog(maxChanges);
    }

    /** Applies one record whose payloads were read out already. */
    void apply(StoredRecord stored) {
        switch (stored.record()) {
            case LogRecord.Written written -> {
                operation(written.lsn(), written.committed(), written.range(), written.request());
                putBlocks(written.range(), written.lsn(), stored.stamps(0));
            }
            case LogRecord.Trimmed trimmed -> {
                operation(trimmed.lsn(), trimmed.committed(), trimmed.range(), trimmed.request());
                putBlocks(trimmed.range(), trimmed.lsn(), null);
            }
            case LogRecord.SessionOpened opened -> {
                marker(opened.lsn());
                session = session.isLowerThan(opened.session()) ? opened.session() : session;
            }
            case LogRecord.Grown grown -> marker(grown.lsn());
            case LogRecord.Marked marked -> marker(marked.lsn());
            case LogRecord.SnapshotTaken taken -> {
                blocks.pin(taken.number(), taken.lsn());
                marker(taken.lsn());
            }
            case LogRecord.SnapshotDeleted deleted -> {
                blocks.unpin(deleted.number());
                marker(deleted.lsn());
            }
            case LogRecord.CopiedUnder copied -> {
                for (int i = 0; i < copied.runs().size(); i++) {
                    copyUnder(copied, copied.runs().get(i), stored.stamps(i));
                }
            }
            case LogRecord.Copied copied -> {
                for (int i = 0; i < copied.runs().size(); i++) {
                    copy(copied.liveEpoch(), copied.runs().get(i), stored.stamps(i));
                }
            }
            case LogRecord.Repaired repaired -> repair(repaired.run(), stored.stamps(0));
            case LogRecord.ReplicaChanged changed -> {
                if (record == null || !record.position().equals(changed.record().position())) {
                    lastLsn = changed.record().position();
                    // Sessions of operations that never counted do not count either.
                    session = changed.record().session();
                }
                record = changed.record();
            }
            case LogRecord.ReplicaDeleted _ -> {
                record = null;
                blocks.clear();
                regions.clear();
            }
        }
    }

    private void operation(Lsn lsn, Lsn commit, ByteRange range, RequestId request) {
        lastLsn = Lsn.max(lastLsn, lsn);
        committed = Lsn.max(committed, commit);
        changes.add(lsn, range, request, committed);
    }

    private void marker(Lsn lsn) {
        if (!lsn.isAfter(lastLsn)) {
            // Made up for: the operation has its place in the history of others.
            return;
        }
        lastLsn = Lsn.max(lastLsn, lsn);
        changes.add(lsn, new ByteRange(0, 0), RequestId.NONE, committed);
    }

    private void putBlocks(ByteRange range, Lsn lsn, long @Nullable [] stamps) {
        for (int i = 0; i < range.blockCount(); i++) {
            put(range.firstBlock() + i, new StoredBlock(lsn, slice(stamps, i)));
        }
    }

    private void copy(long liveEpoch, BlockRun run, long @Nullable [] stamps) {
        for (int i = 0; i < run.blocks(); i++) {
            long block = run.firstBlock() + i;
            Lsn present = version(block).lsn();
            boolean live = present.epoch() == liveEpoch && present.isAfter(run.lsn());
            if (!live) {
                put(block, new StoredBlock(run.lsn(), slice(stamps, i)));
            }
        }
        changes.add(
                new Lsn(liveEpoch, 0), ByteRange.ofBlocks(run.firstBlock(), run.blocks()), RequestId.NONE, committed);
    }

    private void copyUnder(LogRecord.CopiedUnder copied, BlockRun run, long @Nullable [] stamps) {
        for (int i = 0; i < run.blocks(); i++) {
            long block = run.firstBlock() + i;
            StoredBlock before = version(block);
            blocks.putUnder(block, copied.at(), new StoredBlock(run.lsn(), slice(stamps, i)));
            account(block, before, version(block));
        }
        changes.add(
                new Lsn(copied.liveEpoch(), 0),
                ByteRange.ofBlocks(run.firstBlock(), run.blocks()),
                RequestId.NONE,
                committed);
    }

    private void repair(BlockRun run, long @Nullable [] stamps) {
        for (int i = 0; i < run.blocks(); i++) {
            long block = run.firstBlock() + i;
            StoredBlock good = new StoredBlock(run.lsn(), slice(stamps, i));
            if (version(block).lsn().equals(run.lsn()) && version(block).sameContent(good)) {
                damaged.remove(block);
            }
        }
    }

    private static long @Nullable [] slice(long @Nullable [] stamps, int block) {
        if (stamps == null) {
            return null;
        }
        long[] one = new long[StampPayload.STAMPS_PER_BLOCK];
        System.arraycopy(stamps, block * StampPayload.STAMPS_PER_BLOCK, one, 0, one.length);
        return one;
    }

    private void put(long block, StoredBlock next) {
        StoredBlock before = version(block);
        blocks.put(block, next);
        account(block, before, next);
    }

    private void account(long block, StoredBlock before, StoredBlock next) {
        if (before.equals(next)) {
            return;
        }
        damaged.remove(block);
        int region = (int) (block / BlockGeometry.BLOCKS_PER_REGION);
        RegionState old = regions.getOrDefault(region, new RegionState(region, Lsn.ZERO, 0));
        long hash = old.hash() - before.hash(block) + next.hash(block);
        regions.put(region, new RegionState(region, Lsn.max(old.highest(), next.lsn()), hash));
    }

    // ---- what can be asked
    public Optional<ReplicaRecord> record() {
        return Optional.ofNullable(record);
    }

    public Lsn lastLsn() {
        return lastLsn;
    }

    /** Does the block hold this content, or that of an operation at or after {@code lsn}? */
    public boolean holds(long block, long stamp, Lsn lsn) {
        StoredBlock present = version(block);
        return present.stamps()[0] == stamp || present.lsn().compareTo(lsn) >= 0;
    }

    /** The same bytes in both? */
    public boolean sameContent(long block, ReplicaImage other) {
        return version(block).sameContent(other.version(block));
    }

    /** Where the request stands in the log; empty when it is not known here. */
    public Optional<Lsn> lsnOf(RequestId request) {
        return changes.lsnOf(request);
    }

    StoredBlock version(long block) {
        return blocks.head(block);
    }

    boolean isDamaged(ByteRange range) {
        return !damaged.subSet(range.firstBlock(), range.firstBlock() + range.blockCount())
                .isEmpty();
    }

    /** The bad blocks of the range, with the versions they should hold. */
    List<BlockVersion> damagedIn(ByteRange range) {
        return damaged.subSet(range.firstBlock(), range.firstBlock() + range.blockCount()).stream()
                .map(block -> new BlockVersion(
                        block, version(block).lsn(), version(block).checksum()))
                .toList();
    }

    /** Bit rot: the block's checksum is wrong from now on, until it is written again. False when it is a hole. */
    boolean damage(long block) {
        return !version(block).isHole() && damaged.add(block);
    }

    long[] content(ByteRange range) {
        long[] stamps = new long[range.blockCount() * StampPayload.STAMPS_PER_BLOCK];
        for (int i = 0; i < range.blockCount(); i++) {
            long[] one = version(range.firstBlock() + i).stamps();
            System.arraycopy(one, 0, stamps, i * StampPayload.STAMPS_PER_BLOCK, one.length);
        }
        return stamps;
    }

    List<Extent> extents(ByteRange range) {
        List<Extent> extents = new ArrayList<>();
        int from = 0;
        for (int i = 1; i <= range.blockCount(); i++) {
            boolean hole = version(range.firstBlock() + from).isHole();
            if (i == range.blockCount() || version(range.firstBlock() + i).isHole() != hole) {
                extents.add(new Extent((long) (i - from) * BlockGeometry.BLOCK_BYTES, hole));
                from = i;
            }
        }
        return extents;
    }

    List<BlockVersion> versions(ByteRange range) {
        List<BlockVersion> versions = new ArrayList<>();
        for (long block = range.firstBlock(); block < range.firstBlock() + range.blockCount(); block++) {
            StoredBlock stored = version(block);
            if (!stored.isHole()) {
                versions.add(new BlockVersion(block, stored.lsn(), stored.checksum()));
            }
        }
        return versions;
    }

    // ---- snapshots
    /** Numbers and LSNs of the snapshots. */
    public SortedMap<Long, Lsn> snapshots() {
        return blocks.pins();
    }

    /** What the replica was when the snapshot was taken, as far as can be asked of a snapshot; empty when there is none. */
    public Optional<ReplicaImage> asOf(long snapshot) {
        Lsn at = blocks.pins().get(snapshot);
        if (at == null) {
            return Optional.empty();
        }
        ReplicaImage image = new ReplicaImage(1);
        blocks.at(at).forEach((block, stored) -> image.put(block, stored));
        damaged.stream()
                .filter(block -> image.version(block).equals(version(block)))
                .forEach(image.damaged::add);
        return Optional.of(image);
    }

    /** May a clone begin with this snapshot? Only what was in sync holds what it says. */
    boolean isGoodFor(VolumeOrigin wanted) {
        ReplicaRecord own = record;
        return own != null
                && own.volume().equals(wanted.volume())
                && (own.status() == ReplicaStatus.IN_SYNC || own.status() == ReplicaStatus.OUTDATED)
                && wanted.at().equals(blocks.pins().get(wanted.snapshot()));
    }

    /** A replica of another volume that begins with what this one holds at {@code at}. */
    ReplicaImage cloneAt(Lsn at, ReplicaRecord first, int maxChanges) {
        ReplicaImage clone = new ReplicaImage(maxChanges);
        blocks.at(at).forEach(clone::put);
        clone.record = first;
        clone.lastLsn = first.position();
        return clone;
    }

    /** Blocks of data in all versions that head or snapshots see and that are after {@code lsn}. */
    public long dataBlocksAfter(Lsn lsn) {
        return blocks.dataBlocksAfter(lsn);
    }

    /** First stamp of the block, 0 for a hole. */
    public long stamp(long block) {
        return version(block).stamps()[0];
    }

    List<RegionState> regionTable() {
        return List.copyOf(regions.values());
    }

    Optional<List<ByteRange>> changesAfter(Lsn after) {
        return changes.after(after);
    }

    /** Equal for equal content and versions. */
    public long digest() {
        long digest = 0;
        for (RegionState region : regions.values()) {
            digest += region.hash();
        }
        return digest;
    }

    /** The first block in which two images differ, in words; empty when all content and versions are equal. */
    public Optional<String> difference(ReplicaImage other) {
        TreeSet<Long> all = new TreeSet<>(blocks.numbers());
        all.addAll(other.blocks.numbers());
        for (long block : all) {
            StoredBlock mine = version(block);
            StoredBlock theirs = other.version(block);
            if (!mine.sameContent(theirs) || (!mine.isHole() && !mine.lsn().equals(theirs.lsn()))) {
                return Optional.of("block " + block + " is " + mine + " here and " + theirs + " there");
            }
        }
        return Optional.empty();
    }

    RecoveredReplica recover(boolean unclean, boolean intact) {
        ReplicaRecord own = record;
        if (own == null) {
            throw new IllegalStateException("no replica to recover");
        }
        SessionId highest = session.isLowerThan(own.session()) ? own.session() : session;
        ReplicaRecord recovered = new ReplicaRecord(
                own.volume(),
                own.replica(),
                own.promisedEpoch(),
                own.record(),
                own.incarnation(),
                own.status(),
                own.epochStarts(),
                own.position(),
                highest,
                own.requests());
        return new RecoveredReplica(
                recovered,
                unclean,
                intact,
                lastLsn,
                committed,
                changes.tail(committed),
                requestsAfter(own.position(), highest.generation(), own.requests()),
                blocks.snapshotSet());
    }

    private List<RequestId> requestsAfter(Lsn position, long generation, List<RequestId> before) {
        LinkedHashSet<RequestId> all = new LinkedHashSet<>();
        before.stream().filter(request -> request.generation() == generation).forEach(all::add);
        all.addAll(changes.requestsAfter(position, generation));
        return List.copyOf(all);
    }
}
