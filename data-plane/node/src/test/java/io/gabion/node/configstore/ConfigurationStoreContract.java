package io.gabion.node.configstore;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.port.Event.ReadOutcome;
import io.gabion.core.port.Event.SwapOutcome;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a storage node relies on, whichever configuration store it is: what is known, what is not, and that it comes back. */
public interface ConfigurationStoreContract {
    /** Longest wait for anything in these tests. */
    int WAIT_SECONDS = 30;

    ConfigurationStore store();

    /** A record of three replicas, one of them on the node of {@link #store()}. */
    VolumeRecord createVolume();

    void stopStore();

    void restartStore() throws Exception;

    /** The client as it is used, but waited for. */
    static ReadOutcome read(ConfigurationStore store, VolumeId volume) throws Exception {
        CompletableFuture<ReadOutcome> answer = new CompletableFuture<>();
        store.read(volume, answer::complete);
        return answer.get(WAIT_SECONDS, TimeUnit.SECONDS);
    }

    static SwapOutcome swap(ConfigurationStore store, VolumeRecord next) throws Exception {
        CompletableFuture<SwapOutcome> answer = new CompletableFuture<>();
        store.swap(next, true, answer::complete);
        return answer.get(WAIT_SECONDS, TimeUnit.SECONDS);
    }

    /** A change that is always allowed. */
    static VolumeRecord next(VolumeRecord record) {
        return record.withConfig(record.config()
                .withMembers(record.config().primary(), record.config().inSync(), "n1/" + UUID.randomUUID()));
    }

    /** The first record of this volume from {@code told} with at least this version. */
    static VolumeRecord awaitTold(BlockingQueue<VolumeRecord> told, VolumeRecord wanted) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
        while (true) {
            VolumeRecord heard = told.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
            assertThat(heard).as("the watch tells of %s", wanted).isNotNull();
            if (heard.id().equals(wanted.id())
                    && heard.config().version() >= wanted.config().version()) {
                return heard;
            }
        }
    }

    /** Asks until there is an answer: the first one may take longer than a request may. */
    private ReadOutcome answer(VolumeId volume) throws Exception {
        long begun = System.nanoTime();
        ReadOutcome outcome = read(store(), volume);
        while (outcome instanceof ReadOutcome.Unavailable) {
            assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(WAIT_SECONDS));
            outcome = read(store(), volume);
        }
        return outcome;
    }

    @Test
    default void everyOutcomeIsToldApart() throws Exception {
        assertThat(answer(new VolumeId(UUID.randomUUID()))).isInstanceOf(ReadOutcome.Absent.class);
        VolumeRecord record = createVolume();
        assertThat(read(store(), record.id())).isEqualTo(new ReadOutcome.Found(record));
        VolumeRecord second = next(record);
        assertThat(swap(store(), second)).isEqualTo(new SwapOutcome.Won(second));
        assertThat(swap(store(), next(record))).isEqualTo(new SwapOutcome.Lost(second));
        VolumeRecord wrong = second.withConfig(second.config().withSizeBytes(4096, "n1/x"));
        assertThat(swap(store(), wrong))
                .isInstanceOfSatisfying(SwapOutcome.Refused.class, refused -> assertThat(refused.violations())
                        .singleElement()
                        .asString()
                        .contains("never shrinks"));
    }

    @Test
    default void outageMeansUnavailableReadsAndUnknownSwapsAndEndsByItself() throws Exception {
        VolumeRecord record = createVolume();
        assertThat(read(store(), record.id())).isInstanceOf(ReadOutcome.Found.class);
        stopStore();
        assertThat(read(store(), record.id())).isInstanceOf(ReadOutcome.Unavailable.class);
        assertThat(swap(store(), next(record))).isInstanceOf(SwapOutcome.Unknown.class);
        assertThat(store().reachable()).isFalse();
        restartStore();
        ReadOutcome outcome = answer(record.id());
        assertThat(store().reachable()).isTrue();
        assertThat(outcome).isEqualTo(new ReadOutcome.Found(record));
    }

    @Test
    default void theWatchTellsOfChangesAndGoesOnAfterAnOutage() throws Exception {
        BlockingQueue<VolumeRecord> told = new LinkedBlockingQueue<>();
        VolumeRecord early = createVolume();
        store().watch(told::add);
        assertThat(awaitTold(told, early)).isEqualTo(early);
        VolumeRecord late = createVolume();
        assertThat(awaitTold(told, late)).isEqualTo(late);
        VolumeRecord changed = next(late);
        assertThat(swap(store(), changed)).isEqualTo(new SwapOutcome.Won(changed));
        assertThat(awaitTold(told, changed)).isEqualTo(changed);
        stopStore();
        restartStore();
        VolumeRecord afterwards = createVolume();
        assertThat(awaitTold(told, afterwards)).isEqualTo(afterwards);
    }
}
