package io.gabion.node.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.gabion.api.record.RecordPatch;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.core.port.Event.SwapOutcome;
import io.gabion.model.VolumeRecord;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One compare-and-swap of a volume's record by JSON patch. Blocks; what is not known is never guessed. */
final class RecordSwap {
    private static final Logger LOG = LoggerFactory.getLogger(RecordSwap.class);
    private static final PatchContext JSON_PATCH = PatchContext.of(PatchType.JSON);
    /** After the definitions turned out to be too old, one change is tried in so long a time. */
    private static final long PRUNED_PAUSE_NANOS = TimeUnit.MINUTES.toNanos(1);

    private static final String GONE = "the volume has no record any more";

    private final KubernetesClient client;
    private final ApiCalls calls;
    private final VolumeObjects volumes;
    private final LongSupplier nanoTime;
    private volatile Optional<Pruned> pruned = Optional.empty();

    /** What the API server dropped without a word, and until when nothing is changed for it. */
    private record Pruned(List<String> fields, long untilNanos) {}

    RecordSwap(KubernetesClient client, ApiCalls calls, VolumeObjects volumes, LongSupplier nanoTime) {
        this.client = client;
        this.calls = calls;
        this.volumes = volumes;
        this.nanoTime = nanoTime;
    }

    SwapOutcome swap(VolumeRecord next) {
        Optional<Pruned> tooOld = pruned;
        if (tooOld.isPresent() && nanoTime.getAsLong() < tooOld.get().untilNanos()) {
            return refused("the installed definition of Volume is older than this storage node and drops "
                    + tooOld.get().fields() + ": upgrade the custom resource definitions");
        }
        try {
            return attempt(next);
        } catch (KubernetesClientException e) {
            return new SwapOutcome.Unknown(ApiCalls.describe(e));
        } catch (IllegalArgumentException e) {
            return new SwapOutcome.Unknown("the record is malformed: " + e.getMessage());
        }
    }

    private SwapOutcome attempt(VolumeRecord next) {
        long expected = next.config().version() - 1;
        Volume current = volumes.known(next.id());
        if (current == null || VolumeObjects.version(current) != expected) {
            current = volumes.read(next.id());
            if (current == null) {
                return refused(GONE);
            }
            if (VolumeObjects.version(current) != expected) {
                return judge(current, next);
            }
        }
        RecordPatch patch = RecordPatch.swap(current, next);
        Volume before = current;
        try {
            Volume returned = calls.call(
                    () -> client.resource(before).subresource("status").patch(JSON_PATCH, patch.text()));
            return won(patch, returned);
        } catch (KubernetesClientException e) {
            if (!ApiCalls.isRefusal(e)) {
                throw e;
            }
            return refusal(next, expected, e);
        }
    }

    private SwapOutcome won(RecordPatch patch, Volume returned) {
        volumes.swapped(returned);
        List<String> missing = patch.missingIn(returned);
        if (missing.isEmpty()) {
            pruned = Optional.empty();
        } else {
            LOG.error(
                    "the API server dropped {} of the record of volume {}: the installed definition of Volume is older than"
                            + " this storage node; upgrade it, nothing is changed until then",
                    missing,
                    returned.getMetadata().getName());
            pruned = Optional.of(new Pruned(missing, nanoTime.getAsLong() + PRUNED_PAUSE_NANOS));
        }
        return VolumeRecords.record(returned)
                .<SwapOutcome>map(SwapOutcome.Won::new)
                .orElseGet(() -> new SwapOutcome.Unknown("the API server returned no configuration"));
    }

    /** A lost race, a broken rule and a missing right look alike: only what stands now tells them apart. */
    private SwapOutcome refusal(VolumeRecord next, long expected, KubernetesClientException e) {
        Volume now = volumes.read(next.id());
        if (now == null) {
            return refused(GONE);
        }
        return VolumeObjects.version(now) == expected ? refused(ApiCalls.describe(e)) : judge(now, next);
    }

    /** The writer is unique to a proposal, so an equal configuration is this node's own success. */
    private static SwapOutcome judge(Volume now, VolumeRecord next) {
        Optional<VolumeRecord> standing = VolumeRecords.record(now);
        if (standing.isEmpty()) {
            return refused(GONE);
        }
        boolean own = standing.get().config().equals(next.config())
                && !next.config().writer().isBlank();
        return own ? new SwapOutcome.Won(standing.get()) : new SwapOutcome.Lost(standing.get());
    }

    private static SwapOutcome refused(String why) {
        return new SwapOutcome.Refused(List.of(why));
    }
}
