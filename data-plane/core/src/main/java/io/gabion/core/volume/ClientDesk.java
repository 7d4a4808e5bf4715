package io.gabion.core.volume;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.ClientMessage.IoStatus;
import io.gabion.core.message.ClientMessage.PhaseTimes;
import io.gabion.core.message.Operation;
import io.gabion.core.message.RequestId;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event.ReadOutcome;
import io.gabion.core.port.Notice;
import io.gabion.model.Attachment;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.NodeName;
import io.gabion.model.PoolFullPolicy;
import io.gabion.model.SessionId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The primary's dealings with agents: one session at a time, its requests, and what is queued before it gets its place. */
final class ClientDesk {
    private record Opening(NodeName agent, ClientMessage.Open open) {}

    private record Barrier(ClientSession session, RequestId request, long seq, long arrivedNanos) {}

    private final Primary p;
    private final Replica r;
    private final ArrayDeque<WindowEntry> waiting = new ArrayDeque<>();
    private final ArrayDeque<Barrier> barriers = new ArrayDeque<>();
    private final Map<Long, Opening> openings = new LinkedHashMap<>();
    private @Nullable ClientSession current;
    private @Nullable String spaceHolder;

    ClientDesk(Primary primary) {
        this.p = primary;
        this.r = primary.r;
    }

    // ---- sessions
    void received(long link, NodeName agent, ClientMessage.Request request) {
        switch (request) {
            case ClientMessage.Open open -> {
                openings.put(link, new Opening(agent, open));
                if (p.active()) {
                    open(link, false);
                }
            }
            case ClientMessage.Close close -> {
                ClientSession session = current;
                if (session != null && session.link == link && session.id.equals(close.session())) {
                    end(session);
                }
            }
            case ClientMessage.IoRequest io -> request(link, io);
        }
    }

    private void open(long link, boolean recordIsFresh) {
        Opening opening = openings.get(link);
        if (opening == null || !p.active()) {
            return;
        }
        ClientMessage.Open open = opening.open();
        if (r.isSuperseded(open)) {
            openings.remove(link);
            ClientSession newest = current;
            if (newest != null && !newest.announced && newest.id.equals(r.session)) {
                // Not committed, perhaps never will be: a primary that was replaced must not fence a live agent with
                // it.
                r.respond(
                        link,
                        new ClientMessage.NotPrimary(
                                r.volume, p.epoch, Optional.of(r.self), "another session is being opened"));
                return;
            }
            r.notice(new Notice.SessionRefused(
                    open.generation() + "@" + open.instance(), "a newer session exists: " + r.session));
            r.respond(link, new ClientMessage.SessionFenced(r.volume, r.session, "a newer session exists"));
            return;
        }
        Optional<Attachment> attachment = attachment(opening.agent(), open.generation());
        if (attachment.isPresent()) {
            openings.remove(link);
            accept(link, opening, attachment.get());
        } else if (recordIsFresh) {
            openings.remove(link);
            String reason = "the record grants " + opening.agent() + " no session of generation " + open.generation();
            r.notice(new Notice.SessionRefused(open.generation() + "@" + open.instance(), reason));
            r.respond(link, new ClientMessage.NotAttached(r.volume, reason));
        } else {
            r.config.read(outcome -> {
                if (opening.equals(openings.get(link))) {
                    attachmentRead(link, outcome);
                }
            });
        }
    }

    private void attachmentRead(long link, ReadOutcome outcome) {
        if (p.left) {
            return;
        }
        if (outcome instanceof ReadOutcome.Found) {
            if (p.active()) {
                open(link, true);
            }
            return;
        }
        openings.remove(link);
        r.respond(
                link,
                new ClientMessage.NotPrimary(
                        r.volume, p.epoch, Optional.of(r.self), "the attachment cannot be confirmed at the moment"));
    }

    private Optional<Attachment> attachment(NodeName agent, long generation) {
        if (generation < r.cfg().sessionFloor()) {
            return Optional.empty();
        }
        for (Attachment attachment : r.cfg().attachments()) {
            if (attachment.node().equals(agent) && attachment.generation() == generation) {
                return Optional.of(attachment);
            }
        }
        return Optional.empty();
    }

    private void accept(long link, Opening opening, Attachment attachment) {
        ClientSession old = current;
        SessionId id = new SessionId(
                opening.open().generation(),
                r.session.connection() + 1,
                opening.open().instance());
        r.session = id;
        if (old != null) {
            end(old);
        }
        ClientSession session = new ClientSession(link, opening.agent(), id, attachment.readOnly());
        if (old != null) {
            session.replace(old);
        }
        current = session;
        p.sequence(new WindowEntry(p, new Operation.OpenSession(id, opening.agent()), session, r.now));
    }

    /** Nothing of this session is answered any more; what already has its place goes on. */
    private void end(ClientSession session) {
        session.open = false;
        if (current == session) {
            current = null;
        }
        waiting.removeIf(entry -> {
            if (entry.session == session) {
                entry.letGo();
                return true;
            }
            return false;
        });
        barriers.removeIf(barrier -> barrier.session() == session);
        p.reads.sessionEnded();
    }

    void gone(long link) {
        openings.remove(link);
        ClientSession session = current;
        if (session != null && session.link == link) {
            end(session);
        }
    }

    void recordChanged() {
        ClientSession session = current;
        if (session != null
                && attachment(session.agent, session.id.generation()).isEmpty()) {
            end(session);
            r.notice(new Notice.SessionRefused(session.id.toString(), "its attachment was withdrawn"));
            r.respond(
                    session.link,
                    new ClientMessage.NotAttached(r.volume, "the attachment of " + session.agent + " was withdrawn"));
        }
    }

    List<String> sessions() {
        ClientSession session = current;
        return session == null ? List.of() : List.of(session.id + " from " + session.agent);
    }

    // ---- requests
    private void noSuchSession(long link, ClientMessage.IoRequest io, @Nullable ClientSession newest) {
        if (newest == null || !io.session().isLowerThan(newest.id)) {
            r.refuseClient(link, io, "no such session is open on this connection");
            return;
        }
        Payloads.release(io);
        // Until the newer session is committed nobody may say so; its commit, or the loss of this primary, answers.
        if (newest.announced) {
            r.respond(link, new ClientMessage.SessionFenced(r.volume, newest.id, "a newer session exists"));
        }
    }

    private void request(long link, ClientMessage.IoRequest io) {
        ClientSession session = current;
        if (session == null || session.link != link || !session.id.equals(io.session())) {
            noSuchSession(link, io, session);
            return;
        }
        if (!withinBounds(session, io)) {
            Payloads.release(io);
            end(session);
            r.emit(new Effect.CloseClient(
                    link, "more is outstanding than the session may have, or a request is malformed"));
            return;
        }
        session.outstandingRequests++;
        r.requests.forgetBelow(io.request().generation(), io.lowestOutstanding());
        ByteRange range = io.range();
        boolean flush = io instanceof ClientMessage.Flush;
        if (!flush && range.end() > r.cfg().sizeBytes()) {
            Payloads.release(io);
            answer(session, io.request(), IoStatus.OUT_OF_RANGE, PhaseTimes.NONE);
            return;
        }
        switch (io) {
            case ClientMessage.Read _, ClientMessage.BlockStatus _ -> p.reads.start(session, io);
            case ClientMessage.Flush _ -> barrier(session, io.request());
            case ClientMessage.Write _, ClientMessage.Trim _ -> change(session, io);
        }
    }

    private boolean withinBounds(ClientSession session, ClientMessage.IoRequest io) {
        long longest = io instanceof ClientMessage.Trim || io instanceof ClientMessage.BlockStatus
                ? BlockGeometry.MAX_TRIM_BYTES
                : BlockGeometry.MAX_IO_BYTES;
        boolean flush = io instanceof ClientMessage.Flush;
        ByteRange range = io.range();
        boolean shaped = flush || (range.isBlockAligned() && !range.isEmpty() && range.length() <= longest);
        // One request beyond the bound is tolerated: the agent may count a reply that is still on its way.
        return shaped
                && session.outstandingRequests <= r.settings.maxOutstandingRequests()
                && session.outstandingBytes <= r.settings.maxOutstandingBytes() + BlockGeometry.MAX_IO_BYTES;
    }

    private void change(ClientSession session, ClientMessage.IoRequest io) {
        if (session.readOnly || r.requests.contains(io.request())) {
            // A request that is known was committed before the session could be opened.
            Payloads.release(io);
            answer(session, io.request(), session.readOnly ? IoStatus.READ_ONLY : IoStatus.OK, PhaseTimes.NONE);
            return;
        }
        Operation operation = io instanceof ClientMessage.Write write
                ? new Operation.Write(write.range(), write.request(), write.payload())
                : new Operation.Trim(io.range(), io.request());
        WindowEntry entry = new WindowEntry(p, operation, session, r.now);
        session.outstandingBytes += entry.payloadBytes;
        waiting.addLast(entry);
        p.pump();
    }

    private void barrier(ClientSession session, RequestId request) {
        barriers.addLast(new Barrier(session, request, p.active() ? p.window.last() : 0, r.now));
        committed();
    }

    private void answer(ClientSession session, RequestId request, IoStatus status, PhaseTimes times) {
        session.outstandingRequests--;
        if (session.open) {
            r.respond(session.link, new ClientMessage.Done(r.volume, request, p.epoch, status, times));
        }
    }

    // ---- the queue before the sequence
    boolean hasWaiting() {
        return !waiting.isEmpty();
    }

    int waiting() {
        return waiting.size();
    }

    /** Who lacks the space that the next write needs, null when nobody does. */
    @Nullable
    String spaceHolder() {
        return waiting.isEmpty() ? null : spaceHolder;
    }

    /** Gives the first waiting request its place; false when it must wait. */
    boolean sequenceNext() {
        WindowEntry entry = waiting.getFirst();
        if (entry.payloadBytes > 0 && !spaceFor(entry.payloadBytes)) {
            if (r.record.spec().onPoolFull() == PoolFullPolicy.STALL) {
                return sequenceTrimAhead();
            }
            waiting.removeFirst();
            entry.letGo();
            ClientSession session = entry.session;
            if (session != null) {
                session.outstandingBytes -= entry.payloadBytes;
                answer(session, entry.request, IoStatus.NO_SPACE, PhaseTimes.NONE);
            }
            return true;
        }
        waiting.removeFirst();
        p.sequence(entry);
        return true;
    }

    /** A write waits for space: a trim behind it may be what gives some, unless it touches what waits before it. */
    private boolean sequenceTrimAhead() {
        for (WindowEntry entry : waiting) {
            if (entry.operation instanceof Operation.Trim && !touchesEarlier(entry)) {
                waiting.remove(entry);
                p.sequence(entry);
                return true;
            }
        }
        return false;
    }

    private boolean touchesEarlier(WindowEntry entry) {
        for (WindowEntry earlier : waiting) {
            if (earlier == entry) {
                return false;
            }
            if (earlier.operation.range().overlaps(entry.operation.range())) {
                return true;
            }
        }
        return false;
    }

    private boolean spaceFor(int bytes) {
        String holder = null;
        for (Member member : p.members.values()) {
            if (member.sentBytes + bytes <= member.creditBytes) {
                member.starvedSinceNanos = Long.MAX_VALUE;
            } else {
                holder = r.describe(member.replica);
                member.starvedSinceNanos = Math.min(member.starvedSinceNanos, r.now);
            }
        }
        if (!r.space.fits(bytes)) {
            holder = r.describe(r.me());
        }
        spaceHolder = holder;
        return holder == null;
    }

    // ---- answers
    /** The operation is on all members: answer whoever asked for it. */
    void finished(WindowEntry entry) {
        ClientSession session = entry.session;
        if (session == null) {
            return;
        }
        if (entry.operation instanceof Operation.OpenSession) {
            opened(session);
            return;
        }
        session.outstandingBytes -= entry.payloadBytes;
        answer(session, entry.request, IoStatus.OK, times(entry));
    }

    private void opened(ClientSession session) {
        if (!session.open || session.announced) {
            return;
        }
        session.announced = true;
        // Only now: a session that never gets committed must not end one that lives.
        for (long replaced : session.replacedLinks()) {
            r.respond(replaced, new ClientMessage.SessionFenced(r.volume, session.id, "a newer session was opened"));
        }
        r.notice(new Notice.SessionOpened(session.id.toString(), session.agent.value()));
        r.respond(
                session.link,
                new ClientMessage.Opened(
                        r.volume,
                        p.epoch,
                        session.id,
                        r.cfg().sizeBytes(),
                        r.settings.maxOutstandingRequests(),
                        r.settings.maxOutstandingBytes()));
    }

    private static PhaseTimes times(WindowEntry entry) {
        long start = entry.submittedNanos;
        return new PhaseTimes(
                micros(start - entry.arrivedNanos),
                micros(entry.localNanos - start),
                micros(entry.replicasNanos - start));
    }

    static long micros(long nanos) {
        return Math.max(0, nanos / 1000);
    }

    void committed() {
        while (p.active() && !p.hasCarried() && !barriers.isEmpty()) {
            Barrier barrier = barriers.getFirst();
            if (barrier.seq() > p.committedSeq) {
                return;
            }
            barriers.removeFirst();
            answer(
                    barrier.session(),
                    barrier.request(),
                    IoStatus.OK,
                    new PhaseTimes(micros(r.now - barrier.arrivedNanos()), 0, 0));
        }
    }

    // ---- epochs
    void epochEnds() {
        List<Barrier> kept = new ArrayList<>(barriers);
        barriers.clear();
        for (Barrier barrier : kept) {
            barriers.addLast(new Barrier(barrier.session(), barrier.request(), 0, barrier.arrivedNanos()));
        }
    }

    void activated() {
        for (long link : List.copyOf(openings.keySet())) {
            open(link, false);
        }
        committed();
    }

    void tick() {
        committed();
    }

    /** This replica is not primary any more: everybody has to go elsewhere, with everything that was not answered. */
    void leave() {
        ClientSession session = current;
        if (session != null) {
            end(session);
            notPrimary(session.link);
            if (!session.announced) {
                session.replacedLinks().forEach(this::notPrimary);
            }
        }
        for (long link : List.copyOf(openings.keySet())) {
            notPrimary(link);
        }
        openings.clear();
        waiting.forEach(entry -> entry.letGo());
        waiting.clear();
        barriers.clear();
    }

    private void notPrimary(long link) {
        r.respond(
                link,
                new ClientMessage.NotPrimary(
                        r.volume, r.cfg().epoch(), r.primaryHint(), "another replica is primary now"));
    }
}
