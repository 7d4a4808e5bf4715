package io.gabion.csi.controller;

import io.gabion.csi.backend.BackendUnavailableException;
import io.gabion.csi.backend.FenceWitness;
import io.gabion.csi.backend.FenceWitness.Testimony;
import io.gabion.csi.backend.StoredVolume;
import io.gabion.csi.backend.VolumeBackend;
import io.gabion.csi.rpc.CsiFailure;
import io.gabion.model.Attachment;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeConfig;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a volume from a node so that nothing which that node still sends can ever be written: the floor of sessions is raised
 * in the record, and only when the primary that the record names confirms that it obeys that record, and has promised its epoch,
 * is the attachment taken away. Any earlier primary needs the word of that one for every write, and does not get it any more.
 * Whether the node is dead, cut off or healthy makes no difference.
 */
final class Fence {
    private static final Logger LOG = LoggerFactory.getLogger(Fence.class);
    private static final Duration ASK_LIMIT = Duration.ofSeconds(2);
    /** A primary learns of a record within milliseconds; a promotion takes seconds, and then there may be many to ask for. */
    private static final Duration FIRST_PAUSE = Duration.ofMillis(50);

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

    private final VolumeBackend backend;
    private final FenceWitness witness;

    Fence(VolumeBackend backend, FenceWitness witness) {
        this.backend = backend;
        this.witness = witness;
    }

    /** Withdraws the attachments; returns when that is safe or throws when it is not confirmed in time. */
    void withdraw(String name, Predicate<Attachment> which, Duration limit) {
        long deadlineNanos = System.nanoTime() + limit.toNanos();
        Optional<StoredVolume> fenced =
                backend.changeConfig(name, (_, config, writer) -> Sessions.fenced(config, which, writer));
        if (fenced.isEmpty() || fenced.get().attachments().stream().noneMatch(which)) {
            return;
        }
        confirm(fenced.get(), deadlineNanos);
        backend.changeConfig(name, (_, config, writer) -> Sessions.withdrawn(config, which, writer));
    }

    private void confirm(StoredVolume fenced, long deadlineNanos) {
        VolumeConfig fence = fenced.config().orElseThrow();
        Optional<StoredVolume> current = Optional.of(fenced);
        Duration pause = FIRST_PAUSE;
        while (true) {
            String reason = objection(fence, current);
            if (reason.isEmpty()) {
                return;
            }
            Duration left = Duration.ofNanos(deadlineNanos - System.nanoTime());
            if (left.isNegative() || left.isZero()) {
                throw CsiFailure.tooLate("the session of volume \"" + fenced.name() + "\" is refused by the record but "
                        + reason + "; waiting until the acting primary confirms");
            }
            LOG.debug("fence of volume {}: {}", fenced.name(), reason);
            pause(left.compareTo(pause) < 0 ? left : pause);
            pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : LONGEST_PAUSE;
            current = backend.find(fenced.name());
        }
    }

    /** Why the fence is not proven yet; empty when it is. */
    private String objection(VolumeConfig fence, Optional<StoredVolume> current) {
        VolumeConfig config = current.flatMap(StoredVolume::config).orElse(null);
        if (config == null || current.orElseThrow().marks().deleting()) {
            // A volume that is being erased serves nobody.
            return "";
        }
        NodeName primary = current.orElseThrow().primaryNode().orElse(null);
        if (primary == null) {
            return "it has no primary";
        }
        try {
            Testimony testimony = witness.ask(primary, current.orElseThrow(), ASK_LIMIT);
            return objection(fence, config, primary, testimony);
        } catch (BackendUnavailableException e) {
            return "its primary at node \"" + primary + "\" does not answer (" + e.getMessage() + ")";
        }
    }

    private static String objection(VolumeConfig fence, VolumeConfig current, NodeName primary, Testimony testimony) {
        if (!testimony.primary() || testimony.promisedEpoch() < current.epoch()) {
            return "node \"" + primary + "\" does not act as its primary at the moment";
        }
        if (testimony.recordVersion() < fence.version()) {
            return "its primary at node \"" + primary + "\" has not read the record yet";
        }
        if (testimony.generations().stream().anyMatch(generation -> generation < fence.sessionFloor())) {
            return "its primary at node \"" + primary + "\" still serves it";
        }
        return "";
    }

    private static void pause(Duration duration) {
        try {
            new CountDownLatch(1).await(duration.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw CsiFailure.unavailable("the driver is shutting down", e);
        }
    }
}
