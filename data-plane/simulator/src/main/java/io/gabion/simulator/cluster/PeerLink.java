package io.gabion.simulator.cluster;

import io.gabion.core.port.Event.DownReason;
import io.gabion.model.NodeName;
import io.gabion.simulator.Dice;
import io.gabion.simulator.Scheduler;
import io.gabion.simulator.network.Connection;
import io.gabion.simulator.network.Network;
import org.jspecify.annotations.Nullable;

/**
 * One process's side of its only link to one peer: made by the node with the lower name, re-made for ever. The other side
 * only asks whether the peer's process is still there.
 */
final class PeerLink {
    private static final long RETRY_NANOS = 150_000_000;

    /** What the process wants to know, called while it runs (never while it is paused or dead). */
    interface Listener {
        boolean isAlive();

        void whenRunning(Runnable action);

        void up(NodeName peer);

        void down(NodeName peer, DownReason reason);

        void received(NodeName peer, Object message);
    }

    private final NodeName self;
    private final NodeName peer;
    private final Scheduler scheduler;
    private final Dice dice;
    private final Network network;
    private final Listener listener;
    private @Nullable Side side;
    private boolean attempting;
    private boolean toldGone;

    PeerLink(NodeName self, NodeName peer, Scheduler scheduler, Dice dice, Network network, Listener listener) {
        this.self = self;
        this.peer = peer;
        this.scheduler = scheduler;
        this.dice = dice;
        this.network = network;
        this.listener = listener;
    }

    /** One connection from this side. */
    private final class Side implements Connection.End {
        private @Nullable Connection connection;

        @Override
        public void received(Object message) {
            listener.whenRunning(() -> {
                if (side == this) {
                    listener.received(peer, message);
                }
            });
        }

        @Override
        public void lost() {
            listener.whenRunning(() -> {
                if (side == this) {
                    side = null;
                    listener.down(peer, DownReason.RESET);
                    retry(dice.between(1_000_000, 20_000_000));
                }
            });
        }
    }

    private boolean initiates() {
        return self.compareTo(peer) < 0;
    }

    void start() {
        retry(dice.between(0, 20_000_000));
    }

    private void retry(long delayNanos) {
        if (!attempting) {
            attempting = true;
            scheduler.after(delayNanos, () -> listener.whenRunning(this::attempt));
        }
    }

    private void attempt() {
        if (side != null) {
            attempting = false;
        } else if (initiates()) {
            Side next = new Side();
            network.connect(self.value(), peer.value(), next, new Attempt(next));
        } else {
            network.probe(self.value(), peer.value(), new Attempt(null));
        }
    }

    private final class Attempt implements Network.Attempt {
        private final @Nullable Side wanted;

        Attempt(@Nullable Side wanted) {
            this.wanted = wanted;
        }

        @Override
        public void connected(Connection connection) {
            Side next = wanted;
            if (next == null) {
                return;
            }
            if (!listener.isAlive()) {
                connection.close(next);
                return;
            }
            next.connection = connection;
            listener.whenRunning(() -> {
                attempting = false;
                use(next);
            });
        }

        @Override
        public void refused() {
            listener.whenRunning(() -> {
                attempting = false;
                if (side == null && !toldGone) {
                    toldGone = true;
                    listener.down(peer, DownReason.GONE);
                }
                again();
            });
        }

        @Override
        public void timedOut() {
            listener.whenRunning(() -> {
                attempting = false;
                again();
            });
        }
    }

    private void again() {
        if (side == null) {
            retry(dice.around(RETRY_NANOS));
        }
    }

    /** The peer connected to us. */
    Connection.End accept(Connection connection) {
        Side next = new Side();
        next.connection = connection;
        listener.whenRunning(() -> use(next));
        return next;
    }

    private void use(Side next) {
        if (side != null) {
            dropSide();
            listener.down(peer, DownReason.RESET);
        }
        side = next;
        toldGone = false;
        listener.up(peer);
    }

    void send(Object message) {
        Side current = side;
        if (current != null && current.connection != null) {
            current.connection.send(current, message);
        }
    }

    /** The monitor gave the peer up: what is under way must not arrive when it comes back. */
    void giveUp() {
        if (side != null) {
            dropSide();
            listener.down(peer, DownReason.RESET);
            retry(dice.around(RETRY_NANOS));
        }
    }

    private void dropSide() {
        Side current = side;
        side = null;
        if (current != null && current.connection != null) {
            current.connection.close(current);
        }
    }

    /** The process ended ({@code powerLost}: with its machine). */
    void end(boolean powerLost) {
        Side current = side;
        side = null;
        if (current != null && current.connection != null) {
            if (powerLost) {
                current.connection.vanish(current);
            } else {
                current.connection.close(current);
            }
        }
    }
}
