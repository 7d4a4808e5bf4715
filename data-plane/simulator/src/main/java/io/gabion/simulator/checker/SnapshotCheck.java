package io.gabion.simulator.checker;

import static java.util.Objects.requireNonNull;

import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeRecord;
import io.gabion.simulator.Scheduler;
import io.gabion.simulator.Trace;
import io.gabion.simulator.client.SnapshotOperator;
import io.gabion.simulator.cluster.StorageHost;
import io.gabion.simulator.configuration.ConfigurationService;
import io.gabion.simulator.disk.ReplicaImage;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Snapshots: the content of each is one that the volume had at one moment between the call and the reply, every in-sync member
 * holds it when it is answered, it never changes, one that is gone stays gone, and in the end all replicas have the same set: all
 * that were answered as taken, none that were answered as deleted, and of those without an answer nobody or everybody the same.
 */
public final class SnapshotCheck implements SnapshotOperator.Listener {
    private final Trace trace;
    private final Scheduler scheduler;
    private final ConfigurationService configuration;
    private final List<StorageHost> hosts;
    private final Histories histories;
    private final List<Long> blocks;
    private final Map<Long, ReplicaImage> answered = new TreeMap<>();

    /** @param blocks all that are ever touched */
    public SnapshotCheck(
            Trace trace,
            Scheduler scheduler,
            ConfigurationService configuration,
            List<StorageHost> hosts,
            Histories histories,
            List<Long> blocks) {
        this.trace = trace;
        this.scheduler = scheduler;
        this.configuration = configuration;
        this.hosts = hosts;
        this.histories = histories;
        this.blocks = List.copyOf(blocks);
    }

    @Override
    public void wanted(long number) {
        histories.snapshotBegins(number, blocks, scheduler.nowNanos());
    }

    @Override
    public void taken(String node, long number) {
        Optional<ReplicaImage> image = hosts.stream()
                .filter(host -> host.name().value().equals(node))
                .findFirst()
                .flatMap(host -> host.disk().image().asOf(number));
        if (image.isEmpty()) {
            trace.violation(node, "answers snapshot " + number + ", which it does not hold");
            return;
        }
        answered.put(number, image.get());
        histories.snapshotTaken(number, image.get()::stamp, scheduler.nowNanos());
        inSync().filter(SnapshotCheck::isWhole).forEach(host -> compare(host, number, image.get()));
    }

    @Override
    public void gone(String node, long number) {
        inSync().filter(host -> isWhole(host) && host.disk().image().snapshots().containsKey(number))
                .forEach(host -> trace.violation(
                        node, "says that snapshot " + number + " is gone, but " + host.name() + " has it"));
    }

    private Stream<StorageHost> inSync() {
        VolumeRecord record = configuration.current();
        return hosts.stream().filter(host -> record.replicaOn(host.name())
                .flatMap(record.config()::member)
                .isPresent());
    }

    /** Neither has it lost its disk nor has it been equal for only a moment. */
    private static boolean isWhole(StorageHost host) {
        return host.disk()
                .record()
                .map(record -> record.status() == ReplicaStatus.IN_SYNC)
                .orElse(false);
    }

    private void compare(StorageHost host, long number, ReplicaImage wanted) {
        Optional<ReplicaImage> image = host.disk().image().asOf(number);
        if (image.isEmpty()) {
            trace.violation(host.name().value(), "lacks snapshot " + number);
            return;
        }
        image.get()
                .difference(wanted)
                .ifPresent(text -> trace.violation(
                        host.name().value(), "has another snapshot " + number + " than was answered: " + text));
        if (image.get().digest() != wanted.digest()) {
            trace.violation(host.name().value(), "has another digest of snapshot " + number);
        }
    }

    /** Everything is in sync: all have the same. */
    public void check(SnapshotOperator operator) {
        List<StorageHost> placed = hosts.stream()
                .filter(host -> configuration.current().replicaOn(host.name()).isPresent())
                .toList();
        StorageHost first = placed.getFirst();
        SortedMap<Long, Lsn> held = first.disk().image().snapshots();
        TreeMap<Long, Lsn> lost = new TreeMap<>(operator.live());
        lost.entrySet().removeAll(held.entrySet());
        if (!lost.isEmpty()) {
            trace.violation("check", "snapshots " + lost + " were taken and are not there: " + held);
        }
        if (!Collections.disjoint(held.keySet(), operator.gone())) {
            trace.violation("check", "of snapshots " + held + " some were gone: " + operator.gone());
        }
        if (!operator.wanted().containsAll(held.keySet())) {
            trace.violation("check", "of snapshots " + held + " some were never wanted: " + operator.wanted());
        }
        for (long number : held.keySet()) {
            if (!answered.containsKey(number)) {
                ReplicaImage image = first.disk().image().asOf(number).orElseThrow();
                answered.put(number, image);
                histories.snapshotTaken(number, image::stamp, scheduler.nowNanos());
            }
        }
        for (StorageHost host : placed) {
            if (host.disk().image().snapshots().equals(held)) {
                held.keySet().forEach(number -> compare(host, number, requireNonNull(answered.get(number))));
            } else {
                trace.violation(
                        host.name().value(),
                        "has snapshots " + host.disk().image().snapshots() + ", but " + first.name() + " has " + held);
            }
        }
    }
}
