package io.gabion.simulator.checker;

import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.InSyncMember;
import io.gabion.model.Lsn;
import io.gabion.simulator.Scheduler;
import io.gabion.simulator.Trace;
import io.gabion.simulator.client.SnapshotOperator;
import io.gabion.simulator.cluster.StorageHost;
import io.gabion.simulator.configuration.ConfigurationService;
import io.gabion.simulator.disk.ReplicaImage;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Snapshots: the content of each is one that the volume had between the call and the reply, every in-sync member holds it when it
 * is answered, it never changes, and in the end all replicas have exactly those that were answered as taken and not as deleted.
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
        for (InSyncMember member : configuration.current().config().inSync()) {
            configuration
                    .current()
                    .nodeOf(member.replica())
                    .flatMap(name ->
                            hosts.stream().filter(h -> h.name().equals(name)).findFirst())
                    .filter(SnapshotCheck::isWhole)
                    .ifPresent(host -> compare(host, number, image.get()));
        }
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
    public void check(SortedMap<Long, Lsn> live) {
        for (StorageHost host : hosts) {
            if (configuration.current().replicaOn(host.name()).isEmpty()) {
                continue;
            }
            SortedMap<Long, Lsn> held = host.disk().image().snapshots();
            if (!held.equals(live)) {
                trace.violation(host.name().value(), "has snapshots " + held + ", not " + live);
                continue;
            }
            answered.forEach((number, image) -> {
                if (live.containsKey(number)) {
                    compare(host, number, image);
                }
            });
        }
    }
}
