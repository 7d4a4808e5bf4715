package io.gabion.simulator.network;

import io.gabion.simulator.Dice;
import io.gabion.simulator.Scheduler;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * One connection between two endpoints: first in, first out in each direction. Cutting a direction holds what is under way
 * back, as TCP does; closing one end loses what it has not received yet and reaches the other end like a message.
 */
public final class Connection {
    /** One end's view. Called at most once each for {@link #lost()}; nothing is received after it. */
    public interface End {
        void received(Object message);

        /** The connection was reset by the network or the other end. */
        void lost();
    }

    private static final Object RESET = new Object();
    private static final Object PING = new Object();

    private final Network network;
    private final Scheduler scheduler;
    private final Dice dice;
    private final Direction forward;
    private final Direction backward;

    Connection(Network network, Scheduler scheduler, Dice dice, String initiator, String acceptor) {
        this.network = network;
        this.scheduler = scheduler;
        this.dice = dice;
        forward = new Direction(initiator, acceptor);
        backward = new Direction(acceptor, initiator);
    }

    private record Item(long atNanos, Object message) {}

    /** What flows from {@code from} to {@code to}; {@code end} is the receiver, null once it closed. */
    private final class Direction {
        private final String from;
        private final String to;
        private final ArrayDeque<Item> items = new ArrayDeque<>();
        private @Nullable End end;
        private long lastAtNanos;
        private boolean pumping;

        Direction(String from, String to) {
            this.from = from;
            this.to = to;
        }

        void send(Object message) {
            lastAtNanos = Math.max(lastAtNanos, scheduler.nowNanos() + network.delayNanos(from, to, dice));
            items.add(new Item(lastAtNanos, message));
            pump();
        }

        void pump() {
            Item head = items.peek();
            if (pumping || head == null || network.isCut(from, to)) {
                return;
            }
            pumping = true;
            scheduler.at(head.atNanos(), () -> {
                pumping = false;
                if (!network.isCut(from, to)) {
                    Item item = items.poll();
                    if (item != null) {
                        deliver(item.message());
                    }
                    pump();
                }
            });
        }

        private void deliver(Object message) {
            End receiver = end;
            if (!network.isPowered(to)) {
                return;
            }
            if (receiver == null) {
                if (message != RESET) {
                    opposite(this).send(RESET);
                }
                return;
            }
            if (message == PING) {
                return;
            }
            if (message == RESET) {
                end = null;
                items.clear();
                receiver.lost();
            } else {
                receiver.received(message);
            }
        }
    }

    private Direction opposite(Direction direction) {
        return direction == forward ? backward : forward;
    }

    /** @param connectedAtNanos when the initiator learns of the connection: nothing reaches it earlier */
    void attach(End initiator, End acceptor, long connectedAtNanos) {
        backward.end = initiator;
        backward.lastAtNanos = connectedAtNanos;
        forward.end = acceptor;
    }

    /** Sends from the end that {@code sender} is; lost when that end is closed. */
    public void send(End sender, Object message) {
        if (backward.end == sender) {
            forward.send(message);
        } else if (forward.end == sender) {
            backward.send(message);
        }
    }

    /** Asks for nothing but a reset, should the other end be gone. */
    public void ping(End sender) {
        send(sender, PING);
    }

    /** This end closes: it receives nothing any more, the other end learns of it after a while. */
    public void close(End closer) {
        Direction incoming = incomingOf(closer);
        if (incoming != null) {
            incoming.end = null;
            incoming.items.clear();
            opposite(incoming).send(RESET);
        }
    }

    /** The machine of this end lost power: nobody is told. */
    public void vanish(End gone) {
        Direction incoming = incomingOf(gone);
        if (incoming != null) {
            incoming.end = null;
            incoming.items.clear();
            opposite(incoming).items.clear();
        }
    }

    /** A reset from outside: both ends lose it, what is under way is lost in part. */
    void reset() {
        for (Direction direction : new Direction[] {forward, backward}) {
            int kept = direction.items.isEmpty() ? 0 : dice.below(direction.items.size() + 1);
            while (direction.items.size() > kept) {
                direction.items.removeLast();
            }
            direction.send(RESET);
        }
    }

    private @Nullable Direction incomingOf(End end) {
        if (backward.end == end) {
            return backward;
        }
        return forward.end == end ? forward : null;
    }

    boolean joins(String a, String b) {
        return (forward.from.equals(a) && forward.to.equals(b)) || (forward.from.equals(b) && forward.to.equals(a));
    }

    boolean isClosed() {
        return forward.end == null && backward.end == null && forward.items.isEmpty() && backward.items.isEmpty();
    }

    void pump() {
        forward.pump();
        backward.pump();
    }
}
