package io.gabion.node.configstore;

import io.gabion.core.port.Event.ReadOutcome;
import io.gabion.core.port.Event.SwapOutcome;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Level-triggered care for the records that concern this node: creates the replicas that are placed here and unknown, and takes
 * this node out of the records of volumes whose data it deleted. Every decision follows a quorum read; every step may be
 * repeated.
 *
 * <p>Runs on the single thread of {@code timer}.
 */
public final class RecordUpkeep {
    private static final Logger LOG = LoggerFactory.getLogger(RecordUpkeep.class);
    static final long FIRST_PAUSE_MILLIS = 50;
    static final long LONGEST_PAUSE_MILLIS = 5_000;

    /** The replicas of this node. Safe for any thread. */
    public interface Replicas {
        /** True from the moment the replica is being created until it was forgotten. */
        boolean isHosted(VolumeId volume);

        void hint(VolumeRecord record);

        /** Creates the replica unless the volume is hosted already. {@code record} came by a quorum read. */
        void create(VolumeRecord record, ReplicaId replica);
    }

    private final VolumeConfigurations configurations;
    private final NodeName self;
    private final ScheduledExecutorService timer;
    private final Replicas replicas;
    // Volumes that are being settled, with the pause before the next try; on the timer's thread only.
    private final Map<VolumeId, Long> underWay = new HashMap<>();

    public RecordUpkeep(
            VolumeConfigurations configurations, NodeName self, ScheduledExecutorService timer, Replicas replicas) {
        this.configurations = configurations;
        this.self = self;
        this.timer = timer;
        this.replicas = replicas;
    }

    /** A record as a watch told it. Safe for any thread. */
    public void changed(VolumeRecord record) {
        if (replicas.isHosted(record.id())) {
            replicas.hint(record);
        } else if (concernsThisNode(record)) {
            settle(record.id());
        }
    }

    /** All records that are being deleted: finishes what a node left undone that died after the last replica was gone. */
    public void leftovers(List<VolumeRecord> deleting) {
        for (VolumeRecord record : deleting) {
            if (record.deleting() && record.placement().isEmpty()) {
                settle(record.id());
            }
        }
    }

    /** The replica's data is durably gone. Safe for any thread. */
    public void forgotten(VolumeId volume) {
        settle(volume);
    }

    /** Looks at the volume's record and does what is due. Safe for any thread. */
    public void settle(VolumeId volume) {
        onTimer(() -> {
            if (underWay.putIfAbsent(volume, FIRST_PAUSE_MILLIS) == null) {
                read(volume);
            }
        });
    }

    private boolean concernsThisNode(VolumeRecord record) {
        return record.replicaOn(self).isPresent()
                || record.removed().stream().anyMatch(p -> p.node().equals(self));
    }

    private void read(VolumeId volume) {
        configurations.read(volume, outcome -> onTimer(() -> decide(volume, outcome)));
    }

    private void decide(VolumeId volume, ReadOutcome outcome) {
        switch (outcome) {
            case ReadOutcome.Found(VolumeRecord record) -> decide(record);
            case ReadOutcome.Absent() -> underWay.remove(volume);
            case ReadOutcome.Unavailable(String reason) -> later(volume, reason);
        }
    }

    private void decide(VolumeRecord record) {
        VolumeId volume = record.id();
        if (replicas.isHosted(volume)) {
            underWay.remove(volume);
            replicas.hint(record);
            return;
        }
        Optional<ReplicaId> own = record.replicaOn(self);
        boolean hasTombstone = record.removed().stream().anyMatch(p -> p.node().equals(self));
        boolean lostInSync = !record.deleting()
                && own.isPresent()
                && record.removed().stream().anyMatch(p -> p.replica().equals(own.get()))
                && record.config().member(own.get()).isPresent();
        if (lostInSync) {
            // Also when it is to go: the others wait for it until it came back empty and said so.
            create(record, own.get());
        } else if (hasTombstone || (record.deleting() && own.isPresent())) {
            leave(record);
        } else if (record.deleting() && record.placement().isEmpty()) {
            configurations.remove(
                    record,
                    done -> onTimer(() -> {
                        if (done) {
                            LOG.info(
                                    "volume {} ({}): record removed, no replica is left",
                                    volume,
                                    record.spec().name());
                            underWay.remove(volume);
                        } else {
                            later(volume, "the record was not removed");
                        }
                    }));
        } else if (own.isPresent() && !record.deleting()) {
            create(record, own.get());
        } else {
            underWay.remove(volume);
        }
    }

    private void create(VolumeRecord record, ReplicaId replica) {
        underWay.remove(record.id());
        LOG.info(
                "volume {} ({}): replica {} is placed here, creating it",
                record.id(),
                record.spec().name(),
                replica);
        replicas.create(record, replica);
    }

    /** Takes what this node has already deleted (or never had) out of the record. */
    private void leave(VolumeRecord record) {
        List<ReplicaId> gone = record.removed().stream()
                .filter(p -> p.node().equals(self))
                .map(ReplicaPlacement::replica)
                .toList();
        List<ReplicaPlacement> placement = record.placement().stream()
                .filter(p -> !p.node().equals(self) || !(record.deleting() || gone.contains(p.replica())))
                .toList();
        List<ReplicaPlacement> removed =
                record.removed().stream().filter(p -> !p.node().equals(self)).toList();
        VolumeRecord next = record.withPlacement(placement, removed, self + "/" + UUID.randomUUID());
        configurations.swap(
                next,
                false,
                outcome -> onTimer(() -> {
                    switch (outcome) {
                        case SwapOutcome.Won(VolumeRecord won) -> decide(won);
                        case SwapOutcome.Lost(VolumeRecord current) -> decide(current);
                        case SwapOutcome.Refused(List<String> violations) -> later(record.id(), violations.toString());
                        case SwapOutcome.Unknown(String reason) -> later(record.id(), reason);
                    }
                }));
    }

    private void later(VolumeId volume, String reason) {
        long pause = underWay.getOrDefault(volume, FIRST_PAUSE_MILLIS);
        underWay.put(volume, Math.min(LONGEST_PAUSE_MILLIS, pause * 2));
        LOG.debug("volume {}: trying again in about {} ms: {}", volume, pause, reason);
        long jitter = ThreadLocalRandom.current().nextLong(pause / 2 + 1);
        try {
            var unused = timer.schedule(() -> read(volume), pause / 2 + jitter, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("the upkeep ends with the process");
        }
    }

    private void onTimer(Runnable task) {
        try {
            timer.execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("the upkeep ends with the process");
        }
    }
}
