package io.gabion.simulator.network;

import io.gabion.simulator.Dice;
import io.gabion.simulator.Scheduler;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Machines, the paths between them, and the connections over those. All faults of the network are methods here. Not thread-safe. */
public final class Network {
    /** How long an attempt to connect waits for an answer. */
    private static final long CONNECT_TIMEOUT_NANOS = 1_000_000_000;

    private final Scheduler scheduler;
    private final Dice dice;
    private final long delayNanos;
    private final Map<String, Acceptor> acceptors = new HashMap<>();
    private final Set<String> withoutPower = new HashSet<>();
    private final Set<String> cuts = new HashSet<>();
    private final Map<String, Long> slowPaths = new HashMap<>();
    private final List<Connection> connections = new ArrayList<>();

    /** Whoever listens on a machine; null refuses to shake hands (it does not answer). */
    public interface Acceptor {
        Connection.@Nullable End accept(String from, Connection connection);
    }

    /** What became of an attempt to connect; exactly one method is called. */
    public interface Attempt {
        void connected(Connection connection);

        /** The machine is there, the process is not. */
        void refused();

        void timedOut();
    }

    /** @param delayNanos mean one-way delay */
    public Network(Scheduler scheduler, Dice dice, long delayNanos) {
        this.scheduler = scheduler;
        this.dice = dice;
        this.delayNanos = delayNanos;
    }

    public void listen(String machine, Acceptor acceptor) {
        acceptors.put(machine, acceptor);
    }

    public void stopListening(String machine) {
        acceptors.remove(machine);
    }

    public void setPower(String machine, boolean on) {
        if (on) {
            withoutPower.remove(machine);
        } else {
            withoutPower.add(machine);
            acceptors.remove(machine);
        }
    }

    boolean isPowered(String machine) {
        return !withoutPower.contains(machine);
    }

    /** Makes a connection; {@code end} is the initiator's and may send as soon as {@code attempt} hears of the connection. */
    public void connect(String from, String to, Connection.End end, Attempt attempt) {
        scheduler.after(delayNanos(from, to, dice), () -> {
            if (isCut(from, to) || isCut(to, from) || !isPowered(to)) {
                scheduler.after(CONNECT_TIMEOUT_NANOS, attempt::timedOut);
                return;
            }
            Acceptor acceptor = acceptors.get(to);
            if (acceptor == null) {
                scheduler.after(delayNanos(to, from, dice), attempt::refused);
                return;
            }
            Connection connection = new Connection(this, scheduler, dice, from, to);
            Connection.End accepted = acceptor.accept(from, connection);
            if (accepted == null) {
                scheduler.after(CONNECT_TIMEOUT_NANOS, attempt::timedOut);
                return;
            }
            connections.removeIf(Connection::isClosed);
            connections.add(connection);
            long connectedAtNanos = scheduler.nowNanos() + delayNanos(to, from, dice);
            scheduler.at(connectedAtNanos, () -> attempt.connected(connection));
            connection.attach(end, accepted, connectedAtNanos);
        });
    }

    /** Asks whether anybody listens there, without making a connection: connected is never called with one in use. */
    public void probe(String from, String to, Attempt attempt) {
        scheduler.after(delayNanos(from, to, dice), () -> {
            if (isCut(from, to) || isCut(to, from) || !isPowered(to)) {
                scheduler.after(CONNECT_TIMEOUT_NANOS, attempt::timedOut);
            } else if (!acceptors.containsKey(to)) {
                scheduler.after(delayNanos(to, from, dice), attempt::refused);
            } else {
                scheduler.after(delayNanos(to, from, dice), attempt::timedOut);
            }
        });
    }

    // ---- faults
    /** Nothing arrives at {@code to} from {@code from} until the cut is mended; then what TCP still tries to send does. */
    public void cut(String from, String to) {
        cuts.add(from + ">" + to);
    }

    public void mend(String from, String to) {
        if (cuts.remove(from + ">" + to)) {
            connections.forEach(Connection::pump);
        }
    }

    public void mendAll() {
        cuts.clear();
        slowPaths.clear();
        connections.forEach(Connection::pump);
    }

    public boolean isCut(String from, String to) {
        return cuts.contains(from + ">" + to);
    }

    /** The path takes this many times as long; 1 restores it. */
    public void slowDown(String from, String to, long factor) {
        slowPaths.put(from + ">" + to, factor);
    }

    public void resetBetween(String a, String b) {
        connections.stream().filter(c -> c.joins(a, b)).forEach(Connection::reset);
    }

    long delayNanos(String from, String to, Dice draws) {
        return (delayNanos / 4 + draws.around(delayNanos)) * slowPaths.getOrDefault(from + ">" + to, 1L);
    }
}
