package io.gabion.simulator.cluster;

import io.gabion.core.port.Event;
import io.gabion.core.volume.ReplicaView;
import io.gabion.model.NodeName;
import io.gabion.simulator.Dice;
import io.gabion.simulator.disk.PayloadLedger;
import io.gabion.simulator.disk.ReplicaDisk;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One storage machine: its power, its disk, and the process that runs on it or does not. */
public final class StorageHost {
    /** Clocks of machines start anywhere. */
    private static final long MAX_CLOCK_OFFSET_NANOS = 1_000_000_000_000L;

    private final NodeName name;
    private final World world;
    private final Dice dice;
    private final ReplicaDisk disk;
    private final List<NodeName> peers;
    private @Nullable NodeProcess process;
    private UUID bootId;
    private long clockOffsetNanos;
    private boolean powered = true;
    private boolean cleanlyStopped = true;
    private boolean newBoot;

    public StorageHost(NodeName name, World world, List<NodeName> peers, ReplicaDisk.Settings disks) {
        this.name = name;
        this.world = world;
        this.dice = world.dice().split();
        this.peers = List.copyOf(peers);
        disk = new ReplicaDisk(name.value(), world.scheduler(), dice.split(), world.trace(), disks);
        bootId = dice.uuid();
        clockOffsetNanos = dice.between(0, MAX_CLOCK_OFFSET_NANOS);
    }

    public NodeName name() {
        return name;
    }

    public ReplicaDisk disk() {
        return disk;
    }

    UUID bootId() {
        return bootId;
    }

    long clockOffsetNanos() {
        return clockOffsetNanos;
    }

    public boolean isPowered() {
        return powered;
    }

    public boolean isRunning() {
        return process != null;
    }

    /** Running, and neither paused nor without power. */
    public boolean isResponsive() {
        NodeProcess current = process;
        return current != null && !current.isPaused();
    }

    /** Starts the process; switches the machine on before if need be. */
    public void start() {
        if (process != null) {
            return;
        }
        if (!powered) {
            powered = true;
            world.network().setPower(name.value(), true);
        }
        boolean unclean = newBoot && !cleanlyStopped;
        newBoot = false;
        cleanlyStopped = false;
        world.trace().line(name.value(), "=== process starts" + (unclean ? " after a crash of its machine" : ""));
        NodeProcess started = new NodeProcess(this, world, peers);
        process = started;
        started.start(unclean);
    }

    /** SIGKILL. */
    public void kill() {
        NodeProcess current = process;
        if (current != null) {
            world.trace().line(name.value(), "=== process killed");
            process = null;
            current.end(false);
            disk.processDied();
        }
    }

    /** The machine loses its power. */
    public void crash() {
        if (!powered) {
            return;
        }
        world.trace().line(name.value(), "=== machine crashes");
        powered = false;
        NodeProcess current = process;
        process = null;
        if (current != null) {
            current.end(true);
            disk.hostCrashed();
        }
        world.network().setPower(name.value(), false);
        bootId = dice.uuid();
        clockOffsetNanos = dice.between(0, MAX_CLOCK_OFFSET_NANOS);
        newBoot = true;
    }

    public void pause() {
        NodeProcess current = process;
        if (current != null && !current.isPaused()) {
            world.trace().line(name.value(), "=== process paused");
            current.pause();
        }
    }

    public void resume() {
        NodeProcess current = process;
        if (current != null && current.isPaused()) {
            world.trace().line(name.value(), "=== process resumes");
            current.resume();
        }
    }

    /** SIGTERM: the process hands over and ends by itself. */
    public void shutDown() {
        NodeProcess current = process;
        if (current != null) {
            world.trace().line(name.value(), "=== process is asked to stop");
            current.shutDown();
        }
    }

    /** The process is ready to end. */
    void stopped() {
        NodeProcess current = process;
        if (current != null) {
            world.trace().line(name.value(), "=== process stops in good order");
            process = null;
            current.end(false);
            disk.stopped();
            cleanlyStopped = true;
        }
    }

    /** The machine comes back with an empty disk. Only while it does not run. */
    public void replaceDisk() {
        world.trace().line(name.value(), "=== disk replaced by an empty one");
        disk.replaceByEmpty();
    }

    /** Hands an event of an operator to the replica. */
    public void request(Event event) {
        NodeProcess current = process;
        if (current != null) {
            current.request(event);
        }
    }

    /** Payloads that the running process still owns. */
    public Optional<PayloadLedger> payloads() {
        NodeProcess current = process;
        return current == null ? Optional.empty() : Optional.of(current.payloads());
    }

    public Optional<ReplicaView> view() {
        NodeProcess current = process;
        return current == null ? Optional.empty() : current.view();
    }
}
