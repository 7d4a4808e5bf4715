package io.gabion.cli.volume;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.model.Attachment;
import io.gabion.model.ConfigTransition;
import io.gabion.model.InSyncMember;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.PoolFullPolicy;
import io.gabion.model.RecoveryPolicy;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.model.VolumeSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class RecoverPlanTest {
    private static final List<ReplicaPlacement> PLACEMENT = List.of(placement("n1"), placement("n2"), placement("n3"));

    /** Copies 0 and 1 are in sync, as what they were before any loss of power. */
    private static final VolumeRecord RECORD = new VolumeRecord(
            new VolumeId(UUID.randomUUID()),
            new VolumeSpec("data", 1 << 20, 3, 2, "default", PoolFullPolicy.STALL, RecoveryPolicy.ANY),
            PLACEMENT,
            List.of(),
            false,
            new VolumeConfig(
                    9,
                    5,
                    PLACEMENT.getFirst().replica(),
                    List.of(
                            new InSyncMember(PLACEMENT.get(0).replica(), 0),
                            new InSyncMember(PLACEMENT.get(1).replica(), 0)),
                    0,
                    1 << 20,
                    2,
                    List.of(new Attachment(new NodeName("agent"), 7, false)),
                    3,
                    "w"));

    private static ReplicaPlacement placement(String node) {
        return new ReplicaPlacement(new ReplicaId(UUID.randomUUID()), new NodeName(node));
    }

    private static RecoverPlan.Survivor survivor(int copy, String role, long incarnation, long seq) {
        return new RecoverPlan.Survivor(
                PLACEMENT.get(copy),
                true,
                role,
                role.equals("primary") ? "serving" : "waiting",
                incarnation,
                6,
                new Lsn(4, seq),
                new Lsn(4, seq));
    }

    private static RecoverPlan.Survivor lost(int copy) {
        return new RecoverPlan.Survivor(PLACEMENT.get(copy), false, "", "", 0, 0, Lsn.ZERO, Lsn.ZERO);
    }

    private static RecoverPlan plan(RecoverPlan.Survivor... survivors) {
        return RecoverPlan.of(RECORD, new ArrayList<>(List.of(survivors)));
    }

    @Test
    void aVolumeThatServesNeedsNothing() {
        assertThat(plan(survivor(0, "primary", 0, 9), lost(1), lost(2))).isInstanceOf(RecoverPlan.Nothing.class);
    }

    @Test
    void aCopyInSyncTakesOverByItselfAndNoOtherIsOffered() {
        assertThat(plan(lost(0), survivor(1, "in-sync", 0, 9), survivor(2, "outdated", 0, 3)))
                .isInstanceOfSatisfying(RecoverPlan.Waits.class, waits -> assertThat(waits.reason())
                        .contains("n2"));
    }

    @Test
    void theOneThatHoldsMostIsOfferedWhenNoCopyInSyncIsLeft() {
        assertThat(plan(lost(0), survivor(1, "outdated", 1, 8), survivor(2, "outdated", 0, 3)))
                .isEqualTo(new RecoverPlan.Promote(
                        survivor(1, "outdated", 1, 8), List.of(new NodeName("n1"), new NodeName("n3"))));
        assertThat(plan(lost(0), lost(1), survivor(2, "outdated", 0, 3))).isInstanceOf(RecoverPlan.Promote.class);
    }

    @Test
    void whatIsHalfCopiedOrDamagedOrEmptyIsNeverOffered() {
        for (String role : List.of("catching-up", "faulted", "empty")) {
            assertThat(plan(lost(0), lost(1), survivor(2, role, 0, 3)))
                    .isInstanceOfSatisfying(RecoverPlan.Hopeless.class, hopeless -> assertThat(hopeless.reason())
                            .contains("complete"));
        }
        assertThat(plan(lost(0), lost(1), lost(2)))
                .isInstanceOfSatisfying(RecoverPlan.Hopeless.class, hopeless -> assertThat(hopeless.reason())
                        .contains("no node"));
    }

    @Test
    void thePromotedCopyIsAloneAboveEveryPromiseAndShutsOldSessionsOut() {
        VolumeRecord next = RecoverPlan.promoted(RECORD, survivor(2, "outdated", 4, 3), "w2");
        assertThat(ConfigTransition.violations(RECORD, next)).isEmpty();
        assertThat(next.config().inSync())
                .containsExactly(new InSyncMember(PLACEMENT.get(2).replica(), 4));
        assertThat(next.config().epoch()).isEqualTo(7);
        assertThat(next.config().sessionFloor()).isEqualTo(8);
        assertThat(next.config().attachments()).isEqualTo(RECORD.config().attachments());
        assertThat(next.placement()).isEqualTo(PLACEMENT);
    }
}
