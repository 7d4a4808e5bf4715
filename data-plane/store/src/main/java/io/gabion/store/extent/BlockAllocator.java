package io.gabion.store.extent;

import io.gabion.store.metadata.BinaryInput;
import io.gabion.store.metadata.BinaryOutput;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * Which 4 KiB blocks of the data file are in use.
 *
 * <pre>
 * | 0: disk header | 1 ... main zone: data and log ... | reserve zone: log only, 5 % |
 * </pre>
 *
 * Every block of the main zone is in exactly one state: free; reserved (given to the log or to a batch that is not applied
 * yet); live (the index refers to it); pending (freed, not yet reusable); being filled with zeros; or resting in quarantine, for
 * ever. Log segments come from the
 * reserve zone only when the main zone has no run that is long enough, so that the log, and with it delete and trim, always has
 * room. Not thread-safe: belongs to the owner loop.
 */
public final class BlockAllocator {
    /** Blocks whose state one persistent page of the bitmap holds: 4 KiB of bits. */
    public static final int PAGE_BLOCKS = 32 * 1024;

    private static final int RESERVE_DIVISOR = 20;
    private static final int MIN_RESERVE_BLOCKS = 512;
    private static final int WORDS_PER_PAGE = PAGE_BLOCKS / 64;

    private final long total;
    private final long reserveStart;
    private final Bitmap live;
    private final Bitmap busy;
    private final BitSet dirtyPages = new BitSet();
    private final PendingFrees pendingFrees = new PendingFrees();
    private final Quarantine quarantine = new Quarantine();

    private long liveBlocks;
    private long pendingMain;
    private long reservedMain;
    private long filling;
    /** Blocks below this were written once (with data or zeros); allocation prefers them. */
    private long zeroedEnd = 1;

    private long cursor = 1;
    private boolean contiguousSpaceWanted;

    public BlockAllocator(long totalBlocks) {
        this.total = totalBlocks;
        this.reserveStart = totalBlocks - Math.max(MIN_RESERVE_BLOCKS, totalBlocks / RESERVE_DIVISOR);
        if (reserveStart < MIN_RESERVE_BLOCKS) {
            throw new IllegalArgumentException("a disk of " + totalBlocks + " blocks is too small");
        }
        live = new Bitmap(totalBlocks);
        busy = new Bitmap(totalBlocks);
        busy.set(0, 1);
    }

    // ---- allocation
    /**
     * A run for the log: {@code wanted} blocks of the main zone if there are, else at least {@code least}, else of the reserve
     * zone; empty when even that is used up.
     */
    public Optional<Run> reserveSegment(int wanted, int least) {
        Optional<Run> found = findInMain(wanted, wanted);
        if (found.isEmpty()) {
            contiguousSpaceWanted = true;
            found = findInMain(wanted, least);
        }
        if (found.isEmpty()) {
            found = find(reserveStart, total, least, least);
        }
        found.ifPresent(this::reserve);
        return found;
    }

    /** Runs of the main zone that together have {@code blocks} blocks, as few as easily found; empty when there is not enough. */
    public Optional<List<Run>> reservePieces(int blocks) {
        if (freeBlocks() + filling < blocks) {
            return Optional.empty();
        }
        Optional<Run> whole = findInMain(blocks, blocks);
        if (whole.isPresent()) {
            reserve(whole.get());
            return Optional.of(List.of(whole.get()));
        }
        List<Run> pieces = new ArrayList<>();
        int missing = blocks;
        while (missing > 0) {
            Optional<Run> piece = findInMain(missing, 1);
            if (piece.isEmpty()) {
                pieces.forEach(run -> unreserve(run.start(), run.blocks()));
                return Optional.empty();
            }
            reserve(piece.get());
            pieces.add(piece.get());
            missing -= piece.get().blocks();
        }
        return Optional.of(pieces);
    }

    private void reserve(Run run) {
        busy.set(run.start(), run.blocks());
        reservedMain += mainPart(run.start(), run.blocks());
        if (run.end() <= reserveStart) {
            cursor = run.end();
        }
    }

    private Optional<Run> findInMain(int wanted, int least) {
        long limit = Math.min(zeroedEnd, reserveStart);
        long from = Math.min(cursor, limit);
        Optional<Run> found = find(from, limit, wanted, least);
        if (found.isEmpty()) {
            found = find(1, limit, wanted, least);
        }
        return found.isPresent() ? found : find(limit, reserveStart, wanted, least);
    }

    /** First run of {@code wanted} free blocks in {@code [from, to)}, else the first of at least {@code least}. */
    private Optional<Run> find(long from, long to, int wanted, int least) {
        long at = from;
        while (at < to) {
            long start = busy.nextClear(at, to);
            if (start >= to) {
                break;
            }
            long end = busy.nextSet(start, Math.min(to, start + wanted));
            if (end - start >= least) {
                return Optional.of(new Run(start, (int) (end - start)));
            }
            at = end;
        }
        return Optional.empty();
    }

    /** Gives back what was reserved and never written, or written in vain. */
    public void unreserve(long start, long blocks) {
        release(start, blocks, "unreserve of blocks that are not reserved");
        reservedMain -= mainPart(start, blocks);
    }

    // ---- life of a block
    /** For recovery: these blocks belong to the log from here on. */
    public void reserveExactly(long start, long blocks) {
        wake(start, blocks);
        long changed = busy.set(start, blocks);
        check(changed == blocks, "the log's next place is in use", start, blocks);
        reservedMain += mainPart(start, blocks);
    }

    /** Reserved blocks (or, in replay, free ones) now hold data that the index refers to. */
    public void makeLive(long start, long blocks) {
        takeReserved(start, blocks);
        long changed = live.set(start, blocks);
        check(changed == blocks, "blocks hold data already", start, blocks);
        liveBlocks += blocks;
        markDirty(start, blocks);
    }

    /** Reserved blocks (or, in replay, free ones) hold something that only replay may still need. */
    public void makePending(long start, long blocks) {
        takeReserved(start, blocks);
        pendingMain += mainPart(start, blocks);
        pendingFrees.add(start, blocks);
    }

    /** Live blocks to which nothing refers any more. */
    public void free(long start, long blocks) {
        long changed = live.clear(start, blocks);
        check(changed == blocks, "free of blocks that hold no data", start, blocks);
        liveBlocks -= blocks;
        pendingMain += blocks;
        pendingFrees.add(start, blocks);
        markDirty(start, blocks);
    }

    private void takeReserved(long start, long blocks) {
        wake(start, blocks);
        long fresh = busy.set(start, blocks);
        check(fresh == 0 || fresh == blocks, "blocks partly in use", start, blocks);
        if (fresh == 0) {
            reservedMain -= mainPart(start, blocks);
        }
    }

    // ---- quarantine
    /**
     * Never gives this place out again: from now on when it is free, else once it is. False when it is known to be bad, is not of
     * the main zone, or too many are.
     */
    public boolean quarantine(long place) {
        if (place < 1 || place >= reserveStart || !quarantine.add(place)) {
            return false;
        }
        if (!busy.get(place)) {
            rest(place);
        }
        return true;
    }

    public boolean isBad(long place) {
        return quarantine.contains(place);
    }

    /** Blocks that are not used any more because they are bad. */
    public long quarantinedBlocks() {
        return quarantine.restingBlocks();
    }

    private void rest(long place) {
        busy.set(place, 1);
        quarantine.rest(place);
    }

    /** In replay a bad place may be met while it still holds what was found to be bad later. */
    private void wake(long start, long blocks) {
        for (long place : quarantine.wake(start, blocks)) {
            busy.clear(place, 1);
        }
    }

    /** The blocks are free, except for bad ones. */
    private void release(long start, long blocks, String otherwise) {
        long cleared = busy.clear(start, blocks);
        check(cleared == blocks, otherwise, start, blocks);
        quarantine.badIn(start, blocks).forEach(this::rest);
    }

    // ---- checkpoints
    public void beginCheckpoint() {
        pendingFrees.beginCheckpoint();
    }

    public void checkpointDone(long nextReader) {
        pendingFrees.checkpointDone(nextReader);
    }

    /** Makes blocks reusable that no checkpoint and no reader numbered {@code oldestReader} or higher holds. */
    public void reclaim(long oldestReader) {
        pendingFrees.drain(oldestReader, (start, blocks) -> {
            release(start, blocks, "reclaim of blocks that are free");
            pendingMain -= mainPart(start, blocks);
        });
    }

    /** Hands out the pages of the bitmap that changed since the last call. */
    public void takeDirtyPages(PageVisitor visitor) {
        for (int page = dirtyPages.nextSetBit(0); page >= 0; page = dirtyPages.nextSetBit(page + 1)) {
            BinaryOutput out = new BinaryOutput(WORDS_PER_PAGE * Long.BYTES);
            for (int i = 0; i < WORDS_PER_PAGE; i++) {
                out.putLong(live.word(page * WORDS_PER_PAGE + i));
            }
            visitor.page(page, out.toBytes());
        }
        dirtyPages.clear();
    }

    /** Receives pages of the bitmap. */
    public interface PageVisitor {
        void page(int page, byte[] content);
    }

    /** For recovery: sets the live blocks of a page. */
    public void loadPage(int page, byte[] content) {
        BinaryInput in = new BinaryInput(content);
        for (int i = 0; i < WORDS_PER_PAGE; i++) {
            live.setWord(page * WORDS_PER_PAGE + i, in.getLong());
        }
        long from = (long) page * PAGE_BLOCKS;
        long to = Math.min(total, from + PAGE_BLOCKS);
        for (long start = live.nextSet(from, to); start < to; ) {
            long end = live.nextClear(start, to);
            busy.set(start, end - start);
            liveBlocks += end - start;
            start = live.nextSet(end, to);
        }
    }

    /** For recovery by a scan: every page is written with the next checkpoint. */
    public void markAllDirty() {
        markDirty(0, total);
    }

    private void markDirty(long start, long blocks) {
        dirtyPages.set((int) (start / PAGE_BLOCKS), (int) ((start + blocks - 1) / PAGE_BLOCKS) + 1);
    }

    // ---- zero-filling
    /** The next stretch to fill with zeros, not usable until {@link #fillDone}; empty when there is nothing left. */
    public Optional<Run> claimFill(int step) {
        long start = busy.nextClear(Math.max(zeroedEnd, 1), reserveStart);
        if (start >= reserveStart) {
            zeroedEnd = reserveStart;
            return Optional.empty();
        }
        long end = busy.nextSet(start, Math.min(reserveStart, start + step));
        busy.set(start, end - start);
        filling += end - start;
        contiguousSpaceWanted = false;
        return Optional.of(new Run(start, (int) (end - start)));
    }

    public void fillDone(Run run) {
        release(run.start(), run.blocks(), "fill of blocks that are free");
        filling -= run.blocks();
        zeroedEnd = Math.max(zeroedEnd, run.end());
    }

    /** True when less than {@code margin} blocks are free below the end of what was filled, or no long run is left there. */
    public boolean wantsFill(long margin) {
        long beyond = reserveStart - zeroedEnd;
        return beyond > 0 && filling == 0 && (contiguousSpaceWanted || freeBlocks() - beyond < margin);
    }

    public long zeroedEnd() {
        return zeroedEnd;
    }

    public void setZeroedEnd(long block) {
        zeroedEnd = Math.clamp(block, 1, reserveStart);
    }

    // ---- accounting
    public long totalBlocks() {
        return total;
    }

    /** First block of the reserve zone. */
    public long reserveStart() {
        return reserveStart;
    }

    public boolean inReserveZone(long block) {
        return block >= reserveStart;
    }

    /** Blocks that hold data or wait to be reusable. */
    public long usedBlocks() {
        return liveBlocks + pendingMain;
    }

    public long liveBlocks() {
        return liveBlocks;
    }

    public long pendingBlocks() {
        return pendingMain;
    }

    /** Disk header, reserve zone, what the log holds of the main zone, and what rests in quarantine. */
    public long reservedBlocks() {
        return 1 + (total - reserveStart) + reservedMain + quarantine.restingBlocks();
    }

    public long freeBlocks() {
        return total - usedBlocks() - reservedBlocks();
    }

    /** Takes a pass over the bitmap. */
    public FreeRuns freeRuns() {
        long runs = 0;
        long blocks = 0;
        long longest = 0;
        for (long start = busy.nextClear(1, reserveStart); start < reserveStart; ) {
            long end = busy.nextSet(start, reserveStart);
            runs++;
            blocks += end - start;
            longest = Math.max(longest, end - start);
            start = busy.nextClear(end, reserveStart);
        }
        return new FreeRuns(runs, blocks, longest);
    }

    public boolean isLive(long block) {
        return block > 0 && block < total && live.get(block);
    }

    /** Counts everything anew; throws when the sums kept along the way are wrong. */
    public void verifyAccounting() {
        check(live.count(0, total) == liveBlocks, "live blocks", live.count(0, total), liveBlocks);
        long counted = busy.count(1, reserveStart);
        long kept = liveBlocks + pendingMain + reservedMain + filling + quarantine.restingBlocks();
        check(counted == kept, "busy blocks", counted, kept);
    }

    private long mainPart(long start, long blocks) {
        return Math.max(0, Math.min(start + blocks, reserveStart) - start);
    }

    private static void check(boolean condition, String what, long first, long second) {
        if (!condition) {
            throw new IllegalStateException("space accounting is broken: " + what + ": " + first + ", " + second);
        }
    }
}
