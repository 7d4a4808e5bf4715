package io.gabion.simulator.network;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.Operation;
import io.gabion.core.message.Payload;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.RequestId;
import io.gabion.core.port.Event;
import io.gabion.simulator.disk.PayloadLedger;
import io.gabion.simulator.disk.StampPayload;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/** Moves payloads over the wire: the sender's reference is given back, the receiver gets a payload of its own. */
public final class Messages {
    /** Nobody's: of payloads that are under way. */
    private static final PayloadLedger WIRE = new PayloadLedger();

    private static final Pattern UNINTERESTING =
            Pattern.compile("volume=[^,\\]]*, |instance=[^,\\]]*|@[0-9a-f-]{36}|, record=VolumeRecord.*");

    private Messages() {}

    /** The message as it goes into the wire; releases what the sender owned. */
    public static PeerMessage detach(PeerMessage message) {
        return map(message, Messages::detach);
    }

    /** The message as the receiver gets it. */
    public static PeerMessage adopt(PeerMessage message, PayloadLedger owner) {
        return map(message, payload -> copy(payload, owner));
    }

    public static ClientMessage detach(ClientMessage message) {
        return map(message, Messages::detach);
    }

    public static ClientMessage adopt(ClientMessage message, PayloadLedger owner) {
        return map(message, payload -> copy(payload, owner));
    }

    /** Gives back what an answer of the store carries that nobody waits for any more. */
    public static void release(Event event) {
        if (event instanceof Event.ReadCompleted read) {
            read.payload().release();
        } else if (event instanceof Event.BlocksRead read) {
            read.runs().forEach(run -> run.payload().ifPresent(Payload::release));
        }
    }

    private static Payload detach(Payload payload) {
        Payload copy = copy(payload, WIRE);
        payload.release();
        return copy;
    }

    private static Payload copy(Payload payload, PayloadLedger owner) {
        return new StampPayload(StampPayload.stampsOf(payload), owner);
    }

    private static PeerMessage map(PeerMessage message, UnaryOperator<Payload> payloads) {
        return switch (message) {
            case PeerMessage.Replicate r
            when r.operation() instanceof Operation.Write w ->
                new PeerMessage.Replicate(
                        r.volume(),
                        r.epoch(),
                        r.from(),
                        r.seq(),
                        r.committedSeq(),
                        new Operation.Write(w.range(), w.request(), payloads.apply(w.payload())));
            case PeerMessage.Reconcile r ->
                new PeerMessage.Reconcile(r.volume(), r.epoch(), r.from(), runs(r.runs(), payloads));
            case PeerMessage.Blocks b ->
                new PeerMessage.Blocks(b.volume(), b.epoch(), b.from(), b.fetch(), runs(b.runs(), payloads));
            default -> message;
        };
    }

    private static List<BlockRun> runs(List<BlockRun> runs, UnaryOperator<Payload> payloads) {
        return runs.stream()
                .map(run -> {
                    Optional<Payload> payload = run.payload().map(payloads);
                    return new BlockRun(run.firstBlock(), run.blocks(), run.lsn(), payload);
                })
                .toList();
    }

    private static ClientMessage map(ClientMessage message, UnaryOperator<Payload> payloads) {
        return switch (message) {
            case ClientMessage.Write w ->
                new ClientMessage.Write(
                        w.volume(),
                        w.session(),
                        w.request(),
                        w.lowestOutstanding(),
                        w.range(),
                        payloads.apply(w.payload()));
            case ClientMessage.ReadDone r ->
                new ClientMessage.ReadDone(r.volume(), r.request(), r.epoch(), payloads.apply(r.payload()), r.times());
            default -> message;
        };
    }

    /** Without the long parts. */
    public static String describe(Object message) {
        return switch (message) {
            case PeerMessage.NewEpoch m -> "NewEpoch " + m.epoch() + " committed " + m.committed();
            case PeerMessage.EpochPromised m ->
                "EpochPromised " + m.epoch() + " incarnation " + m.incarnation() + " last " + m.lastLsn()
                        + " committed " + m.committed() + " tail " + m.tail().size();
            case PeerMessage.ReconcileEnd m ->
                "ReconcileEnd " + m.epoch() + " start " + m.start() + " " + m.snapshots();
            case PeerMessage.Reconcile m -> "Reconcile " + m.epoch() + " runs " + m.runs();
            case PeerMessage.JoinStart m -> "JoinStart " + m.epoch() + " from " + m.startSeq() + " " + m.snapshots();
            case PeerMessage.DifferenceQuery m ->
                "DifferenceQuery " + m.epoch() + " after " + m.after() + " regions "
                        + m.regions().size();
            case PeerMessage.FetchBlocks m ->
                "FetchBlocks " + m.epoch() + " #" + m.fetch() + " " + m.range() + " of " + m.snapshot();
            case PeerMessage.RegionsAt m -> "RegionsAt " + m.epoch() + " round " + m.round();
            case PeerMessage.Durable m -> "Durable " + m.epoch() + "." + m.seq();
            case PeerMessage.Replicate m ->
                "Replicate " + m.epoch() + "." + m.seq() + " committed " + m.committedSeq() + " "
                        + describe(m.operation());
            case ClientMessage.Write m -> "Write " + text(m.request()) + m.range() + m.payload();
            case ClientMessage.IoRequest m -> m.getClass().getSimpleName() + " " + text(m.request()) + m.range();
            case ClientMessage.Done m -> "Done " + text(m.request()) + m.status() + " in " + m.epoch();
            case ClientMessage.ReadDone m -> "ReadDone " + text(m.request()) + m.payload() + " in " + m.epoch();
            default -> strip(message.toString());
        };
    }

    private static String describe(Operation operation) {
        return switch (operation) {
            case Operation.Write w -> "Write " + text(w.request()) + w.range();
            case Operation.Trim t -> "Trim " + text(t.request()) + t.range();
            case Operation.OpenSession _,
                    Operation.Grow _,
                    Operation.VerifyPoint _,
                    Operation.ComparePoint _,
                    Operation.TakeSnapshot _,
                    Operation.DeleteSnapshot _ -> strip(operation.toString());
        };
    }

    private static String text(RequestId request) {
        return request.generation() + ":" + (request.number() >>> 32) + ":" + (int) request.number() + " ";
    }

    private static String strip(String text) {
        return UNINTERESTING.matcher(text).replaceAll("");
    }
}
