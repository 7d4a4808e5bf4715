package io.gabion.csi.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.csi.backend.BackendUnavailableException;
import io.gabion.csi.backend.FenceWitness.Testimony;
import io.gabion.csi.backend.NewVolume;
import io.gabion.csi.backend.StoredVolume;
import io.gabion.csi.backend.VolumeSettings;
import io.gabion.csi.backend.VolumeSettings.Limits;
import io.gabion.csi.fake.InMemoryVolumes;
import io.gabion.csi.fake.ScriptedWitness;
import io.gabion.csi.rpc.CsiFailure;
import io.gabion.model.NodeName;
import io.gabion.model.PoolFullPolicy;
import io.gabion.model.VolumeConfig;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class FenceTest {
    private static final NodeName NODE = new NodeName("a");
    private static final Duration SHORT = Duration.ofMillis(60);
    private static final Duration LONG = Duration.ofSeconds(20);

    private final InMemoryVolumes volumes = new InMemoryVolumes(Set.of("a", "b"), _ -> false);
    private final ScriptedWitness witness = new ScriptedWitness();
    private final Fence fence = new Fence(volumes, witness);

    @BeforeEach
    void publish() {
        volumes.create(new NewVolume(
                "v",
                new VolumeSettings(1 << 20, "default", 1, OptionalInt.empty(), PoolFullPolicy.STALL, true, Limits.NONE),
                new StoredVolume.Origin("v", ""),
                Optional.empty()));
        volumes.changeConfig("v", (v, config, writer) -> Sessions.granted(v, config, NODE, false, writer));
    }

    private VolumeConfig config() {
        return volumes.find("v").flatMap(StoredVolume::config).orElseThrow();
    }

    private void withdraw(Duration limit) {
        fence.withdraw("v", _ -> true, limit);
    }

    @Test
    void aConfirmedFenceTakesTheAttachmentAwayAndRemembersItsGeneration() {
        long before = config().version();
        withdraw(SHORT);

        assertThat(config().attachments()).isEmpty();
        assertThat(config().sessionFloor()).isEqualTo(2);
        // Asked only after the floor stood in the record.
        assertThat(witness.asked()).containsExactly(before + 1);
    }

    @Test
    void whileThePrimaryIsSilentTheAttachmentStandsBelowTheFloor() {
        witness.fallSilent();

        assertThatThrownBy(() -> withdraw(SHORT))
                .hasMessageContaining("does not answer")
                .isInstanceOfSatisfying(
                        CsiFailure.class, e -> assertThat(e.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED));
        assertThat(config().attachments()).hasSize(1);
        assertThat(config().sessionFloor()).isEqualTo(2);
    }

    @Test
    void aRepeatedCallContinuesWhereTheFirstOneEnded() {
        witness.fallSilent();
        assertThatThrownBy(() -> withdraw(SHORT)).isInstanceOf(CsiFailure.class);
        witness.answer(ScriptedWitness::obedient);
        withdraw(SHORT);

        assertThat(config().attachments()).isEmpty();
        assertThat(config().sessionFloor()).isEqualTo(2);
    }

    @Test
    void aPrimaryThatStillServesTheOldSessionConfirmsNothing() {
        witness.answer(c -> new Testimony(true, c.epoch(), c.version(), List.of(1L)));

        assertThatThrownBy(() -> withdraw(SHORT)).hasMessageContaining("still serves it");
    }

    @Test
    void aPrimaryThatHasNotReadTheRecordConfirmsNothing() {
        witness.answer(c -> new Testimony(true, c.epoch(), c.version() - 1, List.of()));

        assertThatThrownBy(() -> withdraw(SHORT)).hasMessageContaining("has not read the record yet");
    }

    @Test
    void aReplicaThatDoesNotActAsPrimaryConfirmsNothing() {
        witness.answer(c -> new Testimony(false, c.epoch(), c.version(), List.of()));
        assertThatThrownBy(() -> withdraw(SHORT)).hasMessageContaining("does not act as its primary");

        witness.answer(c -> new Testimony(true, c.epoch() - 1, c.version(), List.of()));
        assertThatThrownBy(() -> withdraw(SHORT)).hasMessageContaining("does not act as its primary");
    }

    @Test
    void afterAPromotionTheNewPrimaryConfirmsOnceItHasPromisedItsEpoch() {
        witness.answer(_ -> {
            // The primary's node dies under the question and another one is promoted.
            volumes.raiseEpoch("v");
            witness.answer(c -> {
                // The record names it already, but the old primary could still get its acknowledgement.
                witness.answer(ScriptedWitness::obedient);
                return new Testimony(true, c.epoch() - 1, c.version(), List.of());
            });
            throw new BackendUnavailableException("no answer", null);
        });
        withdraw(LONG);

        assertThat(config().attachments()).isEmpty();
        assertThat(config().epoch()).isEqualTo(2);
        assertThat(witness.asked()).hasSize(3);
    }

    @Test
    void withoutAnAttachmentNobodyIsAsked() {
        withdraw(SHORT);
        withdraw(SHORT);

        assertThat(witness.asked()).hasSize(1);
    }

    @Test
    void aLostRaceIsFoughtAgainFromWhatStands() {
        volumes.beforeNextSwap(() -> volumes.raiseEpoch("v"));
        withdraw(SHORT);

        assertThat(config().attachments()).isEmpty();
        assertThat(config().epoch()).isEqualTo(2);
    }
}
