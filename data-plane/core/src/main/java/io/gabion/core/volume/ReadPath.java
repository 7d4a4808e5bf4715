package io.gabion.core.volume;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.ClientMessage.IoStatus;
import io.gabion.core.message.ClientMessage.PhaseTimes;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.Payload;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.port.Event;
import io.gabion.core.port.Event.ReadOutcome;
import io.gabion.core.port.Notice;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.NodeName;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads at the primary. An answer never shows an uncommitted operation, never comes from a replica that may have been
 * replaced, and never carries a block whose checksum failed while another in-sync copy can help.
 */
final class ReadPath {
    /** What a read in parts has so far. */
    private static final class Parts {
        final byte[] content;
        int missing;
        boolean failed;

        Parts(ByteRange range) {
            content = new byte[(int) range.length()];
            missing = range.blockCount();
        }
    }

    private static final class Pending {
        final ClientSession session;
        final ClientMessage.IoRequest request;
        final long arrivedNanos;
        long submittedNanos;
        /** In which it was last submitted; 0 before. */
        long epoch;
        /** Waits until this operation of that epoch is committed; in a later epoch the number means nothing. */
        long waitSeq;

        ClientMessage.@Nullable Response response;
        final Set<NodeName> asked = new HashSet<>(4);

        @Nullable
        NodeName asking;
        /** Parts of this read, when no copy could read all of it; each is a read of its own. */
        @Nullable
        Parts parts;
        /** The read of which this one is a part. */
        @Nullable
        Pending whole;

        Pending(ClientSession session, ClientMessage.IoRequest request, long arrivedNanos) {
            this.session = session;
            this.request = request;
            this.arrivedNanos = arrivedNanos;
        }

        void drop() {
            if (response instanceof ClientMessage.ReadDone done) {
                done.payload().release();
            }
            response = null;
        }
    }

    private final Primary p;
    private final Replica r;
    /** Wait for the commit of what they overlap, or for the epoch to be active. */
    private List<Pending> waiting = new ArrayList<>();
    /** Have their answer and wait for the proof that this replica is still primary. */
    private List<Pending> unproven = new ArrayList<>();

    private boolean proving;
    private final Map<Long, Pending> fetches = new LinkedHashMap<>();
    private long lastFetch;

    ReadPath(Primary primary) {
        this.p = primary;
        this.r = primary.r;
    }

    boolean hasAny() {
        return !waiting.isEmpty() || !unproven.isEmpty() || !fetches.isEmpty();
    }

    void start(ClientSession session, ClientMessage.IoRequest request) {
        submit(new Pending(session, request, r.now));
    }

    private void submit(Pending read) {
        if (!p.active()) {
            waiting.add(read);
            return;
        }
        read.epoch = p.epoch;
        read.waitSeq = p.window.lastOverlap(read.request.range(), p.committedSeq);
        if (read.waitSeq > p.committedSeq) {
            waiting.add(read);
            return;
        }
        read.submittedNanos = r.now;
        if (read.request instanceof ClientMessage.BlockStatus) {
            r.readExtents(read.request.range(), event -> answered(read, event));
        } else {
            r.read(read.request.range(), event -> answered(read, event));
        }
    }

    void committed() {
        if (waiting.isEmpty()) {
            return;
        }
        List<Pending> all = waiting;
        waiting = new ArrayList<>();
        for (Pending read : all) {
            if (read.epoch == p.epoch && read.waitSeq > p.committedSeq) {
                waiting.add(read);
            } else if (read.response == null) {
                submit(read);
            } else {
                prove(read);
            }
        }
    }

    private void answered(Pending read, Event event) {
        if (p.left || !read.session.open) {
            Payloads.release(event);
            return;
        }
        if (!p.active() || p.epoch != read.epoch) {
            Payloads.release(event);
            submit(read);
            return;
        }
        switch (event) {
            case Event.ReadCompleted completed -> prove(read, completed.payload());
            case Event.ExtentsRead extents -> {
                read.response =
                        new ClientMessage.BlockStatusDone(r.volume, read.request.request(), p.epoch, extents.extents());
                prove(read);
            }
            case Event.ReadFailed failed -> {
                r.notice(new Notice.Faulted("read of " + read.request.range() + " failed here: " + failed.reason()));
                fetch(read);
            }
            case Event other -> Payloads.release(other);
        }
    }

    private void prove(Pending read, Payload payload) {
        long start = read.submittedNanos;
        read.response = new ClientMessage.ReadDone(
                r.volume,
                read.request.request(),
                p.epoch,
                payload,
                new PhaseTimes(ClientDesk.micros(start - read.arrivedNanos), ClientDesk.micros(r.now - start), 0));
        prove(read);
    }

    // ---- still primary?
    private void prove(Pending read) {
        if (read.epoch != p.epoch) {
            // Read in an epoch that is over; whatever happened meanwhile, it is read again.
            read.drop();
            submit(read);
            return;
        }
        if (leasesHold()) {
            reply(read);
            return;
        }
        unproven.add(read);
        if (!proving) {
            proving = true;
            List<Pending> covered = unproven;
            unproven = new ArrayList<>();
            long epoch = p.epoch;
            r.config.read(outcome -> proved(outcome, covered, epoch));
        }
    }

    private boolean leasesHold() {
        for (Member member : p.members.values()) {
            if (member.promisedHigher || r.leases.validUntilNanos(member.node) <= r.now) {
                return false;
            }
        }
        return true;
    }

    private void proved(ReadOutcome outcome, List<Pending> covered, long epoch) {
        proving = false;
        boolean current = !p.left && p.active() && p.epoch == epoch;
        boolean confirmed =
                switch (outcome) {
                    case ReadOutcome.Found(var record) ->
                        record.config().epoch() == epoch
                                && record.config().primary().equals(r.me());
                    // Nobody can change the configuration either, and the one open session has seen nothing newer than
                    // this epoch.
                    case ReadOutcome.Absent _, ReadOutcome.Unavailable _ -> true;
                };
        for (Pending read : covered) {
            if (current && confirmed) {
                reply(read);
            } else {
                read.drop();
                if (!p.left && read.session.open) {
                    if (p.active() && p.epoch != epoch) {
                        // A later epoch of ours serves already; nothing else would take the read up again.
                        submit(read);
                    } else if (confirmed || r.cfg().epoch() != epoch) {
                        // Another epoch of ours, or soon of somebody else's, in which case the client is told.
                        waiting.add(read);
                    } else {
                        submit(read);
                    }
                }
            }
        }
        if (!p.left && !unproven.isEmpty()) {
            List<Pending> again = unproven;
            unproven = new ArrayList<>();
            again.forEach(this::prove);
        }
    }

    private void reply(Pending read) {
        if (read.whole != null) {
            partDone(read, read.whole);
            return;
        }
        ClientMessage.Response response = read.response;
        read.session.outstandingRequests--;
        if (response == null || !read.session.open) {
            read.drop();
            return;
        }
        read.response = null;
        r.respond(read.session.link, response);
    }

    // ---- a copy that cannot be read
    private void fetch(Pending read) {
        boolean content = read.request instanceof ClientMessage.Read;
        for (Member member : p.members.values()) {
            if (content && member.streaming && read.asked.add(member.node)) {
                lastFetch++;
                read.asking = member.node;
                fetches.put(lastFetch, read);
                r.send(
                        member.node,
                        new PeerMessage.FetchBlocks(
                                r.volume,
                                p.epoch,
                                r.me(),
                                lastFetch,
                                read.request.range(),
                                List.of(),
                                SnapshotPoint.HEAD));
                return;
            }
        }
        if (content && read.request.range().blockCount() > 1) {
            readInParts(read);
            return;
        }
        read.response = unreadable(read);
        prove(read);
    }

    private ClientMessage.Done unreadable(Pending read) {
        return new ClientMessage.Done(r.volume, read.request.request(), p.epoch, IoStatus.UNREADABLE, PhaseTimes.NONE);
    }

    /** Every copy has a bad block in the range, but perhaps not the same one: block by block. */
    private void readInParts(Pending whole) {
        ByteRange range = whole.request.range();
        whole.parts = new Parts(range);
        for (int i = 0; i < range.blockCount(); i++) {
            Pending part = new Pending(
                    whole.session,
                    new ClientMessage.Read(
                            r.volume,
                            whole.request.session(),
                            whole.request.request(),
                            whole.request.lowestOutstanding(),
                            ByteRange.ofBlocks(range.firstBlock() + i, 1)),
                    whole.arrivedNanos);
            part.whole = whole;
            submit(part);
        }
    }

    private void partDone(Pending part, Pending whole) {
        Parts parts = whole.parts;
        if (parts == null) {
            part.drop();
            return;
        }
        if (part.response instanceof ClientMessage.ReadDone done) {
            int offset =
                    (int) (part.request.range().offset() - whole.request.range().offset());
            done.payload().bytes().get(parts.content, offset, BlockGeometry.BLOCK_BYTES);
        } else {
            parts.failed = true;
        }
        part.drop();
        parts.missing--;
        if (parts.missing == 0) {
            whole.parts = null;
            whole.response = parts.failed
                    ? unreadable(whole)
                    : new ClientMessage.ReadDone(
                            r.volume, whole.request.request(), p.epoch, HeapPayload.of(parts.content), PhaseTimes.NONE);
            reply(whole);
        }
    }

    void fetched(PeerMessage.Blocks blocks) {
        Pending read = fetches.remove(blocks.fetch());
        if (read == null || p.left || !read.session.open) {
            Payloads.release(blocks);
            return;
        }
        if (!p.active() || blocks.epoch() != p.epoch || read.epoch != p.epoch) {
            Payloads.release(blocks);
            submit(read);
            return;
        }
        Payload payload = assemble(read, blocks.runs());
        read.response = new ClientMessage.ReadDone(r.volume, read.request.request(), p.epoch, payload, PhaseTimes.NONE);
        // The peer may have shown an operation that is not committed yet: it must be before anybody sees it.
        read.waitSeq = p.window.lastOverlap(read.request.range(), p.committedSeq);
        if (read.waitSeq > p.committedSeq) {
            waiting.add(read);
        } else {
            prove(read);
        }
    }

    private static Payload assemble(Pending read, List<BlockRun> runs) {
        byte[] content = new byte[(int) read.request.range().length()];
        long firstBlock = read.request.range().firstBlock();
        for (BlockRun run : runs) {
            run.payload().ifPresent(payload -> payload.bytes()
                    .get(content, (int) (run.firstBlock() - firstBlock) * BlockGeometry.BLOCK_BYTES, payload.length()));
        }
        Payloads.release(runs);
        return HeapPayload.of(content);
    }

    void fetchFailed(long fetch) {
        Pending read = fetches.remove(fetch);
        if (read != null && !p.left && read.session.open) {
            fetch(read);
        }
    }

    void linkLost(NodeName node) {
        List<Long> lost = new ArrayList<>();
        fetches.forEach((fetch, read) -> {
            if (node.equals(read.asking)) {
                lost.add(fetch);
            }
        });
        lost.forEach(this::fetchFailed);
    }

    // ---- epochs and sessions
    void epochEnds() {
        waiting.addAll(unproven);
        unproven.clear();
        waiting.addAll(fetches.values());
        fetches.clear();
        waiting.forEach(Pending::drop);
    }

    void activated() {
        committed();
    }

    void sessionEnded() {
        waiting.removeIf(read -> {
            if (!read.session.open) {
                read.drop();
                return true;
            }
            return false;
        });
    }

    void leave() {
        waiting.forEach(Pending::drop);
        unproven.forEach(Pending::drop);
        waiting.clear();
        unproven.clear();
        fetches.clear();
    }
}
