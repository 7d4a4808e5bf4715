package io.gabion.core.session;

import static java.util.Objects.requireNonNull;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.ClientMessage.IoStatus;
import io.gabion.core.message.Payload;
import io.gabion.core.message.RequestId;
import io.gabion.model.ByteRange;
import io.gabion.model.NodeName;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The consumer's end of a session: finds the primary, opens, sends, and after every loss opens again and sends again what was
 * not answered. Its user sees a pause, never an error that a healthy copy could have prevented.
 *
 * <p>A pure state machine like the rest of the core: no clock, thread or I/O; one caller at a time.
 *
 * <p>All candidates stay connected. While there is no primary every one of them is asked to open; only one can answer {@link
 * ClientMessage.Opened}, because that takes the durable consent of all in-sync replicas. An answer of a lower epoch than one
 * already seen is ignored.
 */
public final class AgentSession {
    private enum Phase {
        SEEKING,
        OPEN,
        STOPPED
    }

    private final VolumeId volume;
    private final long generation;
    private final UUID instance;
    private final SessionSettings settings;
    private final PayloadEditor editor;
    private final Candidates candidates;
    private final InFlight inFlight;
    private final BlockLocks locks = new BlockLocks();

    private Phase phase = Phase.SEEKING;
    private @Nullable NodeName primary;
    private SessionId session;
    private long epoch;
    private long sizeBytes;
    private long lastAnswerNanos;
    /** Since when nothing could be sent; the pause that a failover costs. */
    private long seekingSinceNanos;

    private boolean everOpen;
    private String reason = "not connected yet";

    /**
     * @param generation as granted by the volume's record
     * @param instance unique to this process
     * @param nodes where the volume's replicas live, in the order in which to try them
     * @param firstRequestNumber higher than any number that an earlier instance of the same generation used
     */
    public AgentSession(
            VolumeId volume,
            long generation,
            UUID instance,
            List<NodeName> nodes,
            long firstRequestNumber,
            SessionSettings settings,
            PayloadEditor editor) {
        this.volume = requireNonNull(volume, "volume is null");
        this.generation = generation;
        this.instance = requireNonNull(instance, "instance is null");
        this.settings = settings;
        this.editor = editor;
        this.candidates = new Candidates(nodes, settings);
        this.inFlight = new InFlight(volume, generation, firstRequestNumber);
        this.session = new SessionId(generation, 0, instance);
    }

    /** Takes one event at monotonic time {@code nowNanos} and emits what has to be done, in order. */
    public void step(SessionEvent event, long nowNanos, SessionEffectSink effects) {
        if (phase == Phase.STOPPED) {
            refuse(event, effects);
            return;
        }
        switch (event) {
            case SessionEvent.Start _ -> start(nowNanos, effects);
            case SessionEvent.Submitted(var request) -> submit(new Pending(request, nowNanos), nowNanos, effects);
            case SessionEvent.LinkUp(var node) -> candidates.linkUp(node, nowNanos);
            case SessionEvent.LinkDown(var node) -> linkDown(node, nowNanos, effects);
            case SessionEvent.Received(var node, var message) -> received(node, message, nowNanos, effects);
            case SessionEvent.Nodes(var nodes) -> {
                for (NodeName added : candidates.replace(nodes, primary)) {
                    effects.emit(new SessionEffect.Connect(added));
                }
            }
            case SessionEvent.Tick _ -> {}
            case SessionEvent.Closed _ -> close(effects);
        }
        if (phase != Phase.STOPPED) {
            seek(nowNanos, effects);
        }
    }

    /** When the next {@link SessionEvent.Tick} is wanted, {@link Long#MAX_VALUE} for never. */
    public long nextDeadlineNanos() {
        return switch (phase) {
            case STOPPED -> Long.MAX_VALUE;
            case SEEKING -> candidates.nextDueNanos(null);
            case OPEN ->
                inFlight.outstandingCount() == 0
                        ? Long.MAX_VALUE
                        : Math.max(silentFromNanos(), candidates.nextDueNanos(primary));
        };
    }

    public SessionView view() {
        String state =
                switch (phase) {
                    case OPEN -> "open";
                    case SEEKING -> everOpen ? "reopening" : "connecting";
                    case STOPPED -> reason.startsWith("closed") ? "closed" : "fenced";
                };
        return new SessionView(
                state,
                Optional.ofNullable(primary),
                session.connection() == 0 ? Optional.empty() : Optional.of(session),
                epoch,
                sizeBytes,
                inFlight.outstandingCount(),
                inFlight.queuedCount(),
                inFlight.oldestArrivalNanos(),
                phase == Phase.OPEN ? "" : reason);
    }

    private void start(long nowNanos, SessionEffectSink effects) {
        seekingSinceNanos = nowNanos;
        lastAnswerNanos = nowNanos;
        for (NodeName node : candidates.nodes()) {
            effects.emit(new SessionEffect.Connect(node));
        }
    }

    // ---- finding the primary
    private void seek(long nowNanos, SessionEffectSink effects) {
        boolean looking = phase == Phase.SEEKING || (inFlight.outstandingCount() > 0 && nowNanos >= silentFromNanos());
        if (!looking) {
            return;
        }
        NodeName except = phase == Phase.OPEN ? primary : null;
        for (NodeName node = candidates.nextToAsk(nowNanos, except);
                node != null;
                node = candidates.nextToAsk(nowNanos, except)) {
            effects.emit(new SessionEffect.Send(
                    node, new ClientMessage.Open(volume, generation, instance, session.connection(), epoch)));
        }
    }

    private long silentFromNanos() {
        return lastAnswerNanos + settings.silenceNanos();
    }

    private void linkDown(NodeName node, long nowNanos, SessionEffectSink effects) {
        candidates.linkDown(node);
        if (phase == Phase.OPEN && node.equals(primary)) {
            lostPrimary("the connection to " + node + " was lost", nowNanos, effects);
        }
    }

    private void lostPrimary(String why, long nowNanos, SessionEffectSink effects) {
        phase = Phase.SEEKING;
        primary = null;
        reason = why;
        seekingSinceNanos = nowNanos;
        candidates.startOver(nowNanos);
        effects.emit(new SessionEffect.Seeking(why));
    }

    private void opened(NodeName node, ClientMessage.Opened opened, long nowNanos, SessionEffectSink effects) {
        boolean stale = opened.epoch() < epoch
                || opened.session().generation() != generation
                || opened.session().connection() <= session.connection();
        if (stale) {
            candidates.declined(node, nowNanos);
            return;
        }
        long pauseNanos = everOpen ? nowNanos - (phase == Phase.OPEN ? lastAnswerNanos : seekingSinceNanos) : 0;
        candidates.opened();
        phase = Phase.OPEN;
        primary = node;
        session = opened.session();
        epoch = opened.epoch();
        sizeBytes = opened.sizeBytes();
        lastAnswerNanos = nowNanos;
        everOpen = true;
        inFlight.limits(opened.maxOutstandingRequests(), opened.maxOutstandingBytes());
        effects.emit(new SessionEffect.Open(node, epoch, sizeBytes, pauseNanos));
        inFlight.resend(node, session, effects);
        inFlight.pump(node, session, effects);
    }

    private void fenced(NodeName node, ClientMessage.SessionFenced fenced, long nowNanos, SessionEffectSink effects) {
        SessionId highest = fenced.highest();
        if (!highest.instance().equals(instance)) {
            stop("another agent (" + highest + ") took the session over: " + fenced.reason(), effects);
            return;
        }
        candidates.declined(node, nowNanos);
        if (phase == Phase.OPEN && node.equals(primary) && session.isLowerThan(highest)) {
            // One of our own Opens overtook this connection; the answer to it, or the next Open, carries on.
            lostPrimary("a later connection of this agent replaced the one in use", nowNanos, effects);
        }
    }

    private void notPrimary(NodeName node, ClientMessage.NotPrimary answer, long nowNanos, SessionEffectSink effects) {
        candidates.declined(node, nowNanos);
        if (phase == Phase.OPEN && node.equals(primary) && answer.epoch() >= epoch) {
            lostPrimary(node + " no longer serves: " + answer.reason(), nowNanos, effects);
        } else if (phase == Phase.SEEKING) {
            reason = node + ": " + answer.reason();
        }
        answer.hint().filter(hint -> !hint.equals(node)).ifPresent(hint -> candidates.hint(hint, nowNanos));
    }

    private void declined(NodeName node, String why, long nowNanos) {
        candidates.declined(node, nowNanos);
        if (phase == Phase.SEEKING) {
            reason = node + ": " + why;
        }
    }

    // ---- requests
    private void submit(Pending pending, long nowNanos, SessionEffectSink effects) {
        List<Part> parts = Part.of(pending, editor);
        pending.partsLeft = parts.size();
        pending.releasePayload();
        if (parts.isEmpty()) {
            finish(pending, new BlockOutcome.Ok(), nowNanos, effects);
            return;
        }
        if (inFlight.outstandingCount() == 0) {
            lastAnswerNanos = nowNanos;
        }
        for (Part part : parts) {
            if (locks.start(part)) {
                inFlight.queue(part);
            }
        }
        pump(effects);
    }

    private void pump(SessionEffectSink effects) {
        NodeName current = primary;
        if (phase == Phase.OPEN && current != null) {
            inFlight.pump(current, session, effects);
        }
    }

    private void received(NodeName node, ClientMessage.Response message, long nowNanos, SessionEffectSink effects) {
        switch (message) {
            case ClientMessage.Opened opened -> opened(node, opened, nowNanos, effects);
            case ClientMessage.NotPrimary answer -> notPrimary(node, answer, nowNanos, effects);
            case ClientMessage.SessionFenced fenced -> fenced(node, fenced, nowNanos, effects);
            case ClientMessage.NotAttached(var _, var why) -> declined(node, why, nowNanos);
            case ClientMessage.UnknownVolume _ -> declined(node, "has no replica of the volume", nowNanos);
            case ClientMessage.Done(var _, var request, var answerEpoch, var status, var times) -> {
                Part part = answered(node, request, answerEpoch, nowNanos);
                if (part != null) {
                    part.request.took(times);
                    done(part, status, nowNanos, effects);
                }
            }
            case ClientMessage.ReadDone(var _, var request, var answerEpoch, var payload, var times) -> {
                Part part = answered(node, request, answerEpoch, nowNanos);
                if (part == null) {
                    payload.release();
                } else {
                    part.request.took(times);
                    readDone(part, payload, nowNanos, effects);
                }
            }
            case ClientMessage.BlockStatusDone(var _, var request, var answerEpoch, var extents) -> {
                Part part = answered(node, request, answerEpoch, nowNanos);
                if (part != null) {
                    partFinished(part, new BlockOutcome.Extents(clipped(part, extents)), nowNanos, effects);
                }
            }
        }
    }

    private @Nullable Part answered(NodeName node, RequestId request, long answerEpoch, long nowNanos) {
        if (phase != Phase.OPEN || !node.equals(primary) || answerEpoch < epoch) {
            return null;
        }
        epoch = answerEpoch;
        lastAnswerNanos = nowNanos;
        return inFlight.answered(request);
    }

    private void done(Part part, IoStatus status, long nowNanos, SessionEffectSink effects) {
        partFinished(
                part,
                status == IoStatus.OK ? new BlockOutcome.Ok() : new BlockOutcome.Failed(status),
                nowNanos,
                effects);
    }

    private void readDone(Part part, Payload payload, long nowNanos, SessionEffectSink effects) {
        if (part.kind() == Part.Kind.PATCH) {
            Payload content = part.patched(editor, payload);
            payload.release();
            part.becomeWrite(content);
            inFlight.queue(part);
            pump(effects);
            return;
        }
        ByteRange wanted = part.request.request.range();
        if (wanted.equals(part.blocks)) {
            partFinished(part, new BlockOutcome.Data(payload), nowNanos, effects);
        } else {
            int at = Math.toIntExact(wanted.offset() - part.blocks.offset());
            Payload slice = editor.slice(payload, at, Math.toIntExact(wanted.length()));
            payload.release();
            partFinished(part, new BlockOutcome.Data(slice), nowNanos, effects);
        }
    }

    private static List<ClientMessage.Extent> clipped(Part part, List<ClientMessage.Extent> extents) {
        ByteRange wanted = part.request.request.range();
        List<ClientMessage.Extent> result = new ArrayList<>(extents.size());
        long at = part.blocks.offset();
        for (ClientMessage.Extent extent : extents) {
            long start = Math.max(at, wanted.offset());
            long end = Math.min(at + extent.lengthBytes(), wanted.end());
            if (end > start) {
                result.add(new ClientMessage.Extent(end - start, extent.hole()));
            }
            at += extent.lengthBytes();
        }
        return result;
    }

    private void partFinished(Part part, BlockOutcome outcome, long nowNanos, SessionEffectSink effects) {
        part.release();
        for (Part startable : locks.finished(part)) {
            inFlight.queue(startable);
        }
        NodeName current = primary;
        if (current != null) {
            inFlight.releaseHeld(current, session, effects);
        }
        Pending pending = part.request;
        pending.partsLeft--;
        if (outcome instanceof BlockOutcome.Failed && pending.failure == null) {
            pending.failure = outcome;
        }
        if (pending.partsLeft == 0) {
            BlockOutcome failure = pending.failure;
            finish(pending, failure == null ? outcome : failure, nowNanos, effects);
        }
        pump(effects);
    }

    private void finish(Pending pending, BlockOutcome outcome, long nowNanos, SessionEffectSink effects) {
        BlockRequest request = pending.request;
        effects.emit(new SessionEffect.Complete(request.id(), outcome));
        effects.emit(new SessionEffect.Timed(
                request.kind(), request.range().length(), nowNanos - pending.arrivedNanos, pending.slowest));
    }

    // ---- the end
    private void close(SessionEffectSink effects) {
        NodeName current = primary;
        if (phase == Phase.OPEN && current != null) {
            effects.emit(new SessionEffect.Send(current, new ClientMessage.Close(volume, session)));
        }
        stop("closed", effects);
    }

    private void stop(String why, SessionEffectSink effects) {
        phase = Phase.STOPPED;
        primary = null;
        reason = why;
        List<Part> parts = new ArrayList<>(inFlight.drain());
        parts.addAll(locks.drain());
        for (Part part : parts) {
            part.release();
            Pending pending = part.request;
            pending.partsLeft--;
            if (pending.partsLeft == 0) {
                effects.emit(new SessionEffect.Complete(pending.request.id(), new BlockOutcome.Stopped(why)));
            }
        }
        effects.emit(new SessionEffect.Stopped(why));
    }

    private void refuse(SessionEvent event, SessionEffectSink effects) {
        switch (event) {
            case SessionEvent.Submitted(var request) -> {
                request.payload().ifPresent(Payload::release);
                effects.emit(new SessionEffect.Complete(request.id(), new BlockOutcome.Stopped(reason)));
            }
            case SessionEvent.Received(var _, ClientMessage.ReadDone late) ->
                late.payload().release();
            case SessionEvent.Received _,
                    SessionEvent.Start _,
                    SessionEvent.LinkUp _,
                    SessionEvent.LinkDown _,
                    SessionEvent.Nodes _,
                    SessionEvent.Tick _,
                    SessionEvent.Closed _ -> {}
        }
    }
}
