package io.gabion.node.configstore;

import io.gabion.model.DiskRecord;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records that a disk was opened, and finds out when it was rolled back or copied: the superblock's open count is raised first,
 * the recorded one after it, so a recorded count that is not lower than the superblock's belongs to another life of this disk.
 *
 * <p>Goes on trying until the configuration store answers. Runs on the thread of {@code timer} and the channel's, one step at
 * a time.
 */
public final class DiskRegistration {
    private static final Logger LOG = LoggerFactory.getLogger(DiskRegistration.class);
    private static final long RETRY_MILLIS = 250;
    /** One line per so many tries while the store is away. */
    private static final int LOG_EVERY = 40;

    /** What the comparison says. */
    public sealed interface Verdict {
        record Good() implements Verdict {}

        /** The disk must not serve; {@code reason} says why and what to do. */
        record Refused(String reason) implements Verdict {}
    }

    private final ConfigurationStore client;
    private final ScheduledExecutorService timer;
    private final DiskRecord opened;
    private final Consumer<Verdict> answer;
    private boolean swapSent;
    private int tries;

    /** @param opened the disk as it is now; its {@code version} is not looked at */
    public DiskRegistration(
            ConfigurationStore client, ScheduledExecutorService timer, DiskRecord opened, Consumer<Verdict> answer) {
        this.client = client;
        this.timer = timer;
        this.opened = opened;
        this.answer = answer;
    }

    /** Begins; {@code answer} gets exactly one verdict when it is known. */
    public void start() {
        client.readDisk(opened.id(), this::compare, this::again);
    }

    private void compare(Optional<DiskRecord> recorded) {
        if (recorded.isEmpty()) {
            swap(1);
            return;
        }
        DiskRecord known = recorded.get();
        switch (verdict(opened, known, swapSent)) {
            case Verdict.Refused refused -> answer.accept(refused);
            case Verdict.Good good -> {
                if (swapSent && known.openCount() == opened.openCount()) {
                    answer.accept(good);
                } else {
                    swap(known.version() + 1);
                }
            }
        }
    }

    /** @param swapSent this process has already tried to record its count, so an equal one may be its own */
    static Verdict verdict(DiskRecord opened, DiskRecord known, boolean swapSent) {
        if (!known.cluster().equals(opened.cluster())) {
            return new Verdict.Refused("disk " + opened.id() + " is recorded in cluster " + known.cluster()
                    + ", this is cluster " + opened.cluster());
        }
        boolean own = swapSent && known.node().equals(opened.node()) && known.openCount() == opened.openCount();
        if (!own && known.openCount() >= opened.openCount()) {
            return new Verdict.Refused("disk " + opened.id() + " was rolled back or copied: it was opened "
                    + known.openCount() + " times according to the configuration store (last on node " + known.node()
                    + "), but only " + opened.openCount() + " times according to its superblock. Its replicas may lack"
                    + " acknowledged writes and are not used. Start this node with an empty directory; its replicas are"
                    + " then copied anew from the other nodes");
        }
        return new Verdict.Good();
    }

    private void swap(long version) {
        swapSent = true;
        DiskRecord next = new DiskRecord(
                opened.id(), opened.cluster(), opened.node(), opened.pool(), opened.openCount(), version);
        client.swapDisk(next, () -> answer.accept(new Verdict.Good()), this::again);
    }

    private void again(String reason) {
        if (tries++ % LOG_EVERY == 0) {
            LOG.warn("disk {} is not checked against its record yet, its replicas wait: {}", opened.id(), reason);
        }
        try {
            var unused = timer.schedule(this::start, RETRY_MILLIS, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("the registration ends with the process");
        }
    }
}
