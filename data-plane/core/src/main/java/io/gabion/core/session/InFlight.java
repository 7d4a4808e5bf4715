package io.gabion.core.session;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.Payload;
import io.gabion.core.message.RequestId;
import io.gabion.model.NodeName;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The parts that were sent and not answered, and those that wait to be sent.
 *
 * <p>INVARIANT: a part keeps its request number from its first sending to its answer, so that a primary can tell a repetition.
 * After a re-open every change under way is sent again, in order, and a read that overlaps one of them is held until that
 * change is answered: otherwise it could return the old content after an earlier read had returned the new.
 */
final class InFlight {
    private final VolumeId volume;
    private final long generation;
    private final LinkedHashMap<Long, Part> outstanding = new LinkedHashMap<>();
    private final Deque<Part> ready = new ArrayDeque<>();
    private final List<Long> held = new ArrayList<>();
    private long nextNumber;
    private long outstandingBytes;
    private int resentChanges;
    private int maxRequests;
    private long maxBytes;

    InFlight(VolumeId volume, long generation, long firstNumber) {
        this.volume = volume;
        this.generation = generation;
        this.nextNumber = firstNumber;
    }

    void limits(int requests, long bytes) {
        maxRequests = requests;
        maxBytes = bytes;
    }

    int outstandingCount() {
        return outstanding.size();
    }

    int queuedCount() {
        return ready.size();
    }

    long oldestArrivalNanos() {
        Map.Entry<Long, Part> first = outstanding.firstEntry();
        return first == null ? Long.MAX_VALUE : first.getValue().request.arrivedNanos;
    }

    void queue(Part part) {
        ready.add(part);
    }

    /** Sends what the window lets through. */
    void pump(NodeName primary, SessionId session, SessionEffectSink effects) {
        while (!ready.isEmpty() && hasRoomFor(ready.getFirst())) {
            Part part = ready.removeFirst();
            long number = nextNumber++;
            outstanding.put(number, part);
            outstandingBytes += part.payloadBytes();
            if (mustHold(part)) {
                held.add(number);
            } else {
                send(number, part, primary, session, effects);
            }
        }
    }

    /** A new connection is open: everything unanswered goes out again. */
    void resend(NodeName primary, SessionId session, SessionEffectSink effects) {
        held.clear();
        resentChanges = 0;
        for (Part part : outstanding.values()) {
            part.resent = part.mutates();
            resentChanges += part.resent ? 1 : 0;
        }
        for (Map.Entry<Long, Part> each : outstanding.entrySet()) {
            Part part = each.getValue();
            if (mustHold(part)) {
                held.add(each.getKey());
            } else {
                send(each.getKey(), part, primary, session, effects);
            }
        }
    }

    /** Takes the part that an answer belongs to; null when nobody waits for it (any more). */
    @Nullable
    Part answered(RequestId request) {
        if (request.generation() != generation) {
            return null;
        }
        Part part = outstanding.remove(request.number());
        if (part == null) {
            return null;
        }
        held.remove((Long) request.number());
        outstandingBytes -= part.payloadBytes();
        if (part.resent) {
            part.resent = false;
            resentChanges--;
        }
        return part;
    }

    /** Sends the reads that waited for a re-sent change which is answered now. */
    void releaseHeld(NodeName primary, SessionId session, SessionEffectSink effects) {
        if (held.isEmpty()) {
            return;
        }
        List<Long> still = new ArrayList<>();
        for (Long number : held) {
            Part part = outstanding.get(number);
            if (part == null) {
                continue;
            }
            if (mustHold(part)) {
                still.add(number);
            } else {
                send(number, part, primary, session, effects);
            }
        }
        held.clear();
        held.addAll(still);
    }

    /** Forgets everything and returns it. */
    List<Part> drain() {
        List<Part> all = new ArrayList<>(outstanding.values());
        all.addAll(ready);
        outstanding.clear();
        ready.clear();
        held.clear();
        outstandingBytes = 0;
        resentChanges = 0;
        return all;
    }

    private boolean hasRoomFor(Part part) {
        return outstanding.isEmpty()
                || (outstanding.size() < maxRequests && outstandingBytes + part.payloadBytes() <= maxBytes);
    }

    private boolean mustHold(Part part) {
        if (resentChanges == 0 || part.mutates()) {
            return false;
        }
        for (Part other : outstanding.values()) {
            if (other.resent && other.blocks.overlaps(part.blocks)) {
                return true;
            }
        }
        return false;
    }

    private void send(long number, Part part, NodeName primary, SessionId session, SessionEffectSink effects) {
        RequestId id = new RequestId(generation, number);
        Map.Entry<Long, Part> lowest = outstanding.firstEntry();
        long low = lowest == null ? number : lowest.getKey();
        effects.emit(new SessionEffect.Send(primary, message(id, low, part, session)));
    }

    private ClientMessage.Request message(RequestId id, long low, Part part, SessionId session) {
        return switch (part.kind()) {
            case READ, PATCH -> new ClientMessage.Read(volume, session, id, low, part.blocks);
            case WRITE -> new ClientMessage.Write(volume, session, id, low, part.blocks, retained(part));
            case TRIM -> new ClientMessage.Trim(volume, session, id, low, part.blocks);
            case FLUSH -> new ClientMessage.Flush(volume, session, id, low);
            case STATUS -> new ClientMessage.BlockStatus(volume, session, id, low, part.blocks);
        };
    }

    private static Payload retained(Part part) {
        Payload payload = part.payload();
        if (payload == null) {
            throw new IllegalStateException("a write has lost its content");
        }
        return payload.retain();
    }
}
