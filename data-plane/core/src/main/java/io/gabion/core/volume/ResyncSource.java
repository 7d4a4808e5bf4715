package io.gabion.core.volume;

import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.port.Event;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import java.util.List;
import java.util.Optional;

/** Answers what a joiner, or a primary with a bad block, wants to know of this in-sync copy. */
final class ResyncSource {
    private final Replica r;

    ResyncSource(Replica replica) {
        this.r = replica;
    }

    void query(NodeName node, PeerMessage.DifferenceQuery query) {
        // What is appended but not durable yet would be missed; afterwards everything newer comes by the stream.
        r.appends.whenDurable(() -> {
            if (query.snapshot() != SnapshotPoint.HEAD
                    || query.after().equals(Lsn.ZERO)
                    || query.after().isAfter(r.lastLsn)) {
                compareTables(node, query);
            } else {
                askChangeLog(node, query);
            }
        });
    }

    private void askChangeLog(NodeName node, PeerMessage.DifferenceQuery query) {
        r.readChanges(query.after(), event -> {
            Optional<List<ByteRange>> ranges =
                    event instanceof Event.ChangesRead changes ? changes.ranges() : Optional.empty();
            if (ranges.isPresent()) {
                answer(node, query, true, Ranges.unionByRegion(ranges.get()));
            } else {
                compareTables(node, query);
            }
        });
    }

    private void compareTables(NodeName node, PeerMessage.DifferenceQuery query) {
        // A snapshot that is not there was deleted, and the joiner will hear so.
        r.readRegionTable(query.snapshot(), event -> {
            if (event instanceof Event.RegionTableRead table) {
                answer(
                        node,
                        query,
                        false,
                        Ranges.different(
                                table.regions(), query.regions(), r.cfg().sizeBytes()));
            }
        });
    }

    private void answer(NodeName node, PeerMessage.DifferenceQuery query, boolean changeLog, List<ByteRange> ranges) {
        if (query.epoch() == r.promised()) {
            r.send(
                    node,
                    new PeerMessage.Differences(r.volume, query.epoch(), r.me(), changeLog, ranges, query.snapshot()));
        }
    }

    void fetch(NodeName node, PeerMessage.FetchBlocks fetch) {
        r.readUnknownBlocks(fetch.snapshot(), fetch.range(), fetch.versions(), event -> {
            switch (event) {
                case Event.BlocksRead read
                when fetch.epoch() == r.promised() ->
                    r.send(node, new PeerMessage.Blocks(r.volume, fetch.epoch(), r.me(), fetch.fetch(), read.runs()));
                case Event.ReadFailed failed ->
                    r.send(
                            node,
                            new PeerMessage.BlocksUnreadable(
                                    r.volume, fetch.epoch(), r.me(), fetch.fetch(), failed.reason()));
                case Event other -> Payloads.release(other);
            }
        });
    }
}
