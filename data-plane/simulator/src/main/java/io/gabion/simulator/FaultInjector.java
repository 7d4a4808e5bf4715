package io.gabion.simulator;

import static io.gabion.simulator.Simulation.MILLISECOND;
import static io.gabion.simulator.Simulation.SECOND;

import io.gabion.core.port.Event;
import io.gabion.core.port.ReplicaRecord;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ReplicaId;
import io.gabion.simulator.cluster.FaultKind;
import io.gabion.simulator.cluster.StorageHost;
import io.gabion.simulator.configuration.ConfigurationService;
import io.gabion.simulator.network.Network;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/** Draws faults of the kinds that the swarm allows, one after the other; several may be in effect at once. */
final class FaultInjector {
    /** Nothing else happens for so long after a copy was lost, so that the volume's last copy is never taken. */
    private static final long RECOVERY_NANOS = 40 * SECOND;

    /** A copy is lost only when nothing else has happened for so long: no change that counts on it is still under way. */
    private static final long CALM_NANOS = 5 * SECOND;

    private final Simulation simulation;
    private final Dice dice;
    private final Scheduler scheduler;
    private final Network network;
    private final ConfigurationService configuration;
    private final AtomicLong nextVerification = new AtomicLong(1);
    private final ReplicaMover mover;
    private long busyUntilNanos;
    private final Map<Integer, Runnable> pendingEnds = new LinkedHashMap<>();
    private int injected;
    private int ends;
    private long endNanos;

    FaultInjector(Simulation simulation, Dice dice) {
        this.simulation = simulation;
        this.dice = dice;
        scheduler = simulation.scheduler();
        network = simulation.network();
        configuration = simulation.configuration();
        mover = new ReplicaMover(simulation, dice.split());
    }

    int injected() {
        return injected;
    }

    /** Runs for the swarm's duration, or until the first violation. */
    void run() {
        Swarm swarm = simulation.swarm();
        endNanos = scheduler.nowNanos() + swarm.durationNanos();
        while (scheduler.nowNanos() < endNanos && !simulation.trace().failed()) {
            simulation.run(Math.min(dice.around(swarm.faultGapNanos()) + MILLISECOND, endNanos - scheduler.nowNanos()));
            if (!swarm.faults().isEmpty() && scheduler.nowNanos() < endNanos) {
                simulation.changeSnapshotsBeforeAFault();
                inject(dice.pick(swarm.faults()));
            }
        }
        endAll();
    }

    /** Whatever was drawn to end later ends now: nothing of it may meet the checks that follow. */
    private void endAll() {
        List<Runnable> pending = new ArrayList<>(pendingEnds.values());
        pendingEnds.clear();
        pending.forEach(Runnable::run);
    }

    private StorageHost anyHost() {
        // Half of all faults meet the primary.
        return dice.chance(0.5) ? simulation.primary() : dice.pick(simulation.hosts());
    }

    private void later(long nanos, Runnable undo) {
        busyUntilNanos = Math.max(busyUntilNanos, scheduler.nowNanos() + nanos);
        endAfter(nanos, undo);
    }

    /** Runs {@code end} after {@code nanos}, or when all faults end if that is earlier. */
    private void endAfter(long nanos, Runnable end) {
        int number = ends++;
        pendingEnds.put(number, end);
        scheduler.after(nanos, () -> {
            if (pendingEnds.remove(number) != null) {
                end.run();
            }
        });
    }

    private long seconds(long low, long high) {
        return dice.between(low * SECOND, high * SECOND);
    }

    private void say(String text) {
        injected++;
        simulation.trace().line("fault", "=== " + text);
    }

    private void inject(FaultKind kind) {
        switch (kind) {
            case KILL -> killAndStart(anyHost(), dice.between(50 * MILLISECOND, 10 * SECOND));
            case KILL_REPEATEDLY -> {
                StorageHost host = anyHost();
                for (long i = 0; i < 4; i++) {
                    scheduler.after(i * 400 * MILLISECOND, () -> {
                        if (scheduler.nowNanos() < endNanos) {
                            killAndStart(host, 200 * MILLISECOND);
                        }
                    });
                }
            }
            case CRASH -> crashAndStart(anyHost(), seconds(1, 20));
            case KILL_ALL -> simulation.hosts().forEach(h -> killAndStart(h, seconds(0, 5)));
            case POWER_CYCLE_ALL -> simulation.hosts().forEach(h -> crashAndStart(h, seconds(1, 40)));
            case PAUSE -> {
                StorageHost host = anyHost();
                host.pause();
                injected++;
                later(dice.between(100 * MILLISECOND, 20 * SECOND), host::resume);
            }
            case SHUTDOWN -> {
                StorageHost host = anyHost();
                host.shutDown();
                injected++;
                later(5 * SECOND, () -> {
                    host.kill();
                    host.start();
                });
            }
            case HANDOVER -> handOver();
            case RESET_LINK, CUT_LINK, CUT_ONE_WAY, ISOLATE, SLOW_PATH -> injectNetwork(kind);
            case CONFIGURATION_DOWN, CONFIGURATION_CUT, CONFIGURATION_LOSSY, CONFIGURATION_STALE ->
                injectConfiguration(kind);
            case SLOW_DISK, HUNG_DISK, FAILED_DISK, EMPTY_DISK, BIT_ROT -> injectDisk(kind);
            case CLIENT_LINK_RESET, CLIENT_CUT, CLIENT_REPLACED, CLIENT_MOVED -> injectClient(kind);
            case GROW -> {
                say("the volume grows");
                configuration.administer(record -> record.withSpec(
                        record.spec().withSizeBytes(record.spec().sizeBytes() + BlockGeometry.REGION_BYTES),
                        "operator/grow"));
            }
            case MOVE_REPLICA -> mover.move();
            case VERIFY -> simulation.primary().request(new Event.VerifyRequested(nextVerification.getAndIncrement()));
        }
    }

    private void killAndStart(StorageHost host, long downNanos) {
        injected++;
        host.kill();
        later(downNanos, host::start);
    }

    private void crashAndStart(StorageHost host, long downNanos) {
        injected++;
        host.crash();
        later(downNanos, host::start);
    }

    private void handOver() {
        List<ReplicaId> members = configuration.current().config().inSync().stream()
                .map(member -> member.replica())
                .toList();
        ReplicaId target = dice.pick(members);
        say("handover to " + configuration.current().nodeOf(target).orElseThrow());
        simulation.primary().request(new Event.HandoverRequested(target));
    }

    private void injectNetwork(FaultKind kind) {
        List<StorageHost> hosts = simulation.hosts();
        if (hosts.size() < 2) {
            return;
        }
        StorageHost one = anyHost();
        StorageHost other = dice.pick(hosts.stream().filter(h -> h != one).toList());
        String a = one.name().value();
        String b = other.name().value();
        long nanos = dice.between(200 * MILLISECOND, 20 * SECOND);
        switch (kind) {
            case RESET_LINK -> {
                say("link " + a + "-" + b + " reset");
                network.resetBetween(a, b);
            }
            case CUT_LINK -> cut(a, b, true, nanos);
            case CUT_ONE_WAY -> cut(a, b, false, nanos);
            case ISOLATE ->
                hosts.stream()
                        .filter(h -> h != one)
                        .forEach(h -> cut(a, h.name().value(), true, nanos));
            default -> {
                say("path " + a + "-" + b + " is slow");
                network.slowDown(a, b, dice.between(10, 200));
                later(nanos, () -> network.slowDown(a, b, 1));
            }
        }
    }

    private void cut(String a, String b, boolean bothWays, long nanos) {
        say("path " + a + (bothWays ? "-" : "->") + b + " cut for " + nanos / MILLISECOND + " ms");
        network.cut(a, b);
        if (bothWays) {
            network.cut(b, a);
        }
        boolean reset = dice.chance(0.5);
        later(nanos, () -> {
            simulation.trace().line("fault", "=== path " + a + "-" + b + " mended" + (reset ? ", reset" : ""));
            if (reset) {
                network.resetBetween(a, b);
            }
            network.mend(a, b);
            network.mend(b, a);
        });
    }

    private void injectConfiguration(FaultKind kind) {
        long nanos = dice.between(500 * MILLISECOND, 20 * SECOND);
        say(kind + " for " + nanos / MILLISECOND + " ms");
        switch (kind) {
            case CONFIGURATION_DOWN -> {
                configuration.setDown(true);
                later(nanos, () -> configuration.setDown(false));
            }
            case CONFIGURATION_CUT -> {
                String node = anyHost().name().value();
                configuration.setCutOff(node, true);
                later(nanos, () -> configuration.setCutOff(node, false));
            }
            case CONFIGURATION_LOSSY -> {
                configuration.setLossRate(0.5);
                later(nanos, () -> configuration.setLossRate(0));
            }
            default -> {
                configuration.setWatchLagNanos(nanos);
                later(nanos, () -> configuration.setWatchLagNanos(50 * MILLISECOND));
            }
        }
    }

    private void injectDisk(FaultKind kind) {
        StorageHost host = anyHost();
        long nanos = dice.between(500 * MILLISECOND, 20 * SECOND);
        switch (kind) {
            case SLOW_DISK -> {
                say("disk of " + host.name() + " is slow");
                host.disk().slowDown(dice.between(10, 500));
                later(nanos, () -> host.disk().slowDown(1));
            }
            case HUNG_DISK -> {
                say("disk of " + host.name() + " hangs for " + nanos / MILLISECOND + " ms");
                host.disk().hang();
                later(nanos, host.disk()::resume);
            }
            case FAILED_DISK -> loseCopy(host, false);
            case EMPTY_DISK -> loseCopy(host, true);
            default -> rot(host);
        }
    }

    private void rot(StorageHost host) {
        long block = dice.pick(simulation.hotBlocks());
        boolean first = configuration.current().config().inSync().size() > 1
                && simulation.hosts().stream().noneMatch(h -> h.disk().isRotten(block));
        if (first && host.disk().rot(block)) {
            say("block " + block + " of " + host.name() + " rots");
        }
    }

    private boolean allWell() {
        return scheduler.nowNanos() >= busyUntilNanos + CALM_NANOS
                && simulation.hosts().stream().allMatch(this::isWell);
    }

    /** Running, and with a replica in sync where one is placed. */
    private boolean isWell(StorageHost host) {
        Optional<ReplicaRecord> record = host.disk().record();
        boolean placed = configuration.current().replicaOn(host.name()).isPresent();
        if (!placed || record.isEmpty()) {
            return host.isResponsive() && !placed && record.isEmpty();
        }
        return host.isResponsive()
                && configuration
                        .current()
                        .config()
                        .isInSync(record.get().replica(), record.get().incarnation());
    }

    /** One copy goes while all others are well, then peace until it can be rebuilt. */
    private void loseCopy(StorageHost host, boolean empty) {
        if (!allWell()
                || configuration.current().config().inSync().size() < 2
                || host.disk().record().isEmpty()) {
            return;
        }
        if (empty) {
            say("machine " + host.name() + " comes back with an empty disk");
            host.crash();
            host.replaceDisk();
        } else {
            say("disk of " + host.name() + " fails");
            host.disk().fail();
        }
        endAfter(dice.between(2 * SECOND, 8 * SECOND), () -> {
            host.kill();
            host.start();
        });
        simulation.run(Math.min(RECOVERY_NANOS, Math.max(0, endNanos - scheduler.nowNanos())));
    }

    private void injectClient(FaultKind kind) {
        String client = simulation.client().name();
        switch (kind) {
            case CLIENT_LINK_RESET -> {
                say("links of " + client + " reset");
                simulation
                        .hosts()
                        .forEach(h -> network.resetBetween(client, h.name().value()));
            }
            case CLIENT_CUT -> {
                String node = anyHost().name().value();
                cut(client, node, dice.chance(0.5), dice.between(200 * MILLISECOND, 15 * SECOND));
            }
            case CLIENT_REPLACED -> {
                say("another instance of the agent starts");
                if (dice.chance(0.5)) {
                    simulation.client().stop();
                }
                simulation.startClient();
            }
            default -> {
                say("the volume is attached elsewhere");
                simulation.moveClient(dice.chance(0.5));
            }
        }
    }
}
