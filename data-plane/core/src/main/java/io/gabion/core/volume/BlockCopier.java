package io.gabion.core.volume;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.NodeName;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Copies what differs within given ranges from an in-sync member, a few ranges at a time; durable before it counts. */
final class BlockCopier {
    /** Ranges under way: with one region each a bound of this many MiB on both sides. */
    private static final int MAX_UNDER_WAY = 4;

    private static final class Piece {
        final ByteRange range;
        int source;

        Piece(ByteRange range) {
            this.range = range;
        }
    }

    private final Replica r;
    private final long epoch;
    private final List<NodeName> sources;
    private final List<ByteRange> ranges;
    private final boolean blind;
    /** The snapshot that is copied, null for the head. */
    private final @Nullable SnapshotPoint layer;

    private final Map<Long, Piece> fetches = new HashMap<>();
    private int next;
    private int underWay;
    private boolean started;
    private boolean stopped;
    private @Nullable ByteRange unreadable;
    private long comparedBytes;
    private long copiedBytes;
    private long work;

    /** @param sources nodes to ask, the first as long as it can read
     * @param blind do not say what is here already: replace everything
     * @param layer the snapshot to copy, null for the head */
    BlockCopier(
            Replica replica,
            long epoch,
            List<NodeName> sources,
            List<ByteRange> ranges,
            boolean blind,
            @Nullable SnapshotPoint layer) {
        this.r = replica;
        this.epoch = epoch;
        this.sources = sources;
        this.ranges = ranges;
        this.blind = blind;
        this.layer = layer;
    }

    void start() {
        started = true;
        fill();
    }

    void stop() {
        stopped = true;
        fetches.clear();
    }

    boolean started() {
        return started;
    }

    boolean done() {
        return next == ranges.size() && underWay == 0 && unreadable == null;
    }

    boolean failed() {
        return unreadable != null;
    }

    @Nullable
    ByteRange unreadableRange() {
        return unreadable;
    }

    long comparedBytes() {
        return comparedBytes;
    }

    long copiedBytes() {
        return copiedBytes;
    }

    /** Rises with everything that happened. */
    long work() {
        return work;
    }

    boolean currentlyAsks(NodeName node) {
        // Order does not matter for a yes or no.
        for (Piece piece : fetches.values()) {
            if (sources.get(piece.source).equals(node)) {
                return true;
            }
        }
        return false;
    }

    private void fill() {
        while (!stopped && underWay < MAX_UNDER_WAY && next < ranges.size()) {
            Piece piece = new Piece(ranges.get(next));
            next++;
            underWay++;
            compare(piece);
        }
    }

    private void compare(Piece piece) {
        if (blind) {
            ask(piece, List.of());
            return;
        }
        r.readVersions(snapshot(), piece.range, event -> {
            if (!stopped) {
                ask(piece, event instanceof Event.VersionsRead read ? read.versions() : List.of());
            }
        });
    }

    private void ask(Piece piece, List<BlockVersion> versions) {
        long fetch = r.ticket();
        fetches.put(fetch, piece);
        r.send(
                sources.get(piece.source),
                new PeerMessage.FetchBlocks(r.volume, epoch, r.me(), fetch, piece.range, versions, snapshot()));
    }

    /** Owns the payloads when they were asked for here, which it tells. */
    boolean blocks(PeerMessage.Blocks blocks) {
        Piece piece = fetches.remove(blocks.fetch());
        if (piece == null || stopped) {
            return false;
        }
        received(piece, blocks);
        return true;
    }

    private void received(Piece piece, PeerMessage.Blocks blocks) {
        work++;
        if (blocks.runs().isEmpty()) {
            finished(piece);
            return;
        }
        if (isAhead(blocks.runs())) {
            // From another member than the primary: a snapshot taken in between must not lose what it is going to see.
            Payloads.release(blocks.runs());
            compare(piece);
            return;
        }
        for (BlockRun run : blocks.runs()) {
            copiedBytes += (long) run.blocks() * BlockGeometry.BLOCK_BYTES;
        }
        r.append(copied(blocks.runs()), new AppendQueue.Pending() {
            @Override
            void durable() {
                if (!stopped) {
                    finished(piece);
                }
            }
        });
    }

    private LogRecord copied(List<BlockRun> runs) {
        SnapshotPoint copiedLayer = layer;
        return copiedLayer == null
                ? new LogRecord.Copied(epoch, runs)
                : new LogRecord.CopiedUnder(epoch, copiedLayer.lsn(), runs);
    }

    private boolean isAhead(List<BlockRun> runs) {
        return runs.stream().anyMatch(run -> run.lsn().isAfter(r.lastLsn));
    }

    private long snapshot() {
        SnapshotPoint copiedLayer = layer;
        return copiedLayer == null ? SnapshotPoint.HEAD : copiedLayer.number();
    }

    private void finished(Piece piece) {
        work++;
        underWay--;
        comparedBytes += piece.range.length();
        fill();
    }

    /** True when it was asked for here. */
    boolean unreadable(PeerMessage.BlocksUnreadable message) {
        Piece piece = fetches.remove(message.fetch());
        if (piece == null || stopped) {
            return false;
        }
        work++;
        piece.source++;
        if (piece.source < sources.size()) {
            compare(piece);
        } else {
            unreadable = piece.range;
        }
        return true;
    }
}
