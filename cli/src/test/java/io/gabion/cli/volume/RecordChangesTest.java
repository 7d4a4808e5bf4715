package io.gabion.cli.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import io.gabion.model.VolumeOrigin;
import io.gabion.model.VolumeRecord;
import io.gabion.model.VolumeSpec;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class RecordChangesTest {
    private static final NodeName AGENT = new NodeName("agent-1");
    private static final ReplicaId[] REPLICAS = {
        new ReplicaId(UUID.randomUUID()), new ReplicaId(UUID.randomUUID()), new ReplicaId(UUID.randomUUID())
    };

    @Test
    void everyAttachmentHasAHigherGenerationThanAnyBefore() {
        VolumeRecord volume = volume();
        long last = 0;
        for (int i = 0; i < 3; i++) {
            VolumeRecord attached = VolumeAttach.withAttachment(volume, AGENT, false, "w" + i);
            Attachment attachment = attached.config().attachments().getFirst();
            assertThat(attachment.generation()).isGreaterThan(last);
            assertThat(attachment.generation())
                    .isGreaterThanOrEqualTo(attached.config().sessionFloor());
            last = attachment.generation();
            assertThat(ConfigTransition.violations(volume, attached)).isEmpty();
            VolumeRecord detached = VolumeDetach.withoutAttachments(attached, "d" + i);
            assertThat(detached.config().attachments()).isEmpty();
            assertThat(detached.config().sessionFloor()).isGreaterThan(last);
            assertThat(ConfigTransition.violations(attached, detached)).isEmpty();
            volume = detached;
        }
    }

    @Test
    void theStandingAttachmentIsUsedAgainAndAnotherAgentRefused() {
        VolumeRecord attached = VolumeAttach.withAttachment(volume(), AGENT, false, "w");
        assertThat(VolumeAttach.withAttachment(attached, AGENT, false, "again")).isSameAs(attached);
        assertThatThrownBy(() -> VolumeAttach.withAttachment(attached, new NodeName("agent-2"), false, "w2"))
                .hasMessageContaining("attached to agent-1");
        assertThatThrownBy(() -> VolumeAttach.withAttachment(attached, AGENT, true, "w2"))
                .hasMessageContaining("for writing");
    }

    @Test
    void scalingDownTakesCopiesOutOfSyncFirstAndNeverThePrimary() {
        VolumeRecord volume = volume();
        VolumeRecord degraded = volume.withConfig(volume.config()
                .withMembers(REPLICAS[0], volume.config().inSync().subList(0, 2), "n1/1"));
        VolumeRecord two = VolumeScale.reduced(degraded, 1, 2, "w");
        assertThat(two.removed()).containsExactly(volume.placement().get(2));
        assertThat(two.placement()).hasSize(3);
        assertThat(two.spec().replicas()).isEqualTo(2);
        assertThat(two.spec().minInSync()).isEqualTo(1);
        assertThat(ConfigTransition.violations(degraded, two)).isEmpty();
        VolumeRecord one = VolumeScale.reduced(two, 1, 1, "w2");
        assertThat(one.removed()).hasSize(2).doesNotContain(volume.placement().getFirst());
        assertThat(VolumeScale.reduced(one, 0, 1, "w3")).isSameAs(one);
    }

    @Test
    void aScaledCloneRemainsAClone() {
        VolumeRecord plain = volume();
        VolumeOrigin origin = new VolumeOrigin(new VolumeId(UUID.randomUUID()), 1, new Lsn(1, 1));
        VolumeRecord clone = new VolumeRecord(
                plain.id(), plain.spec(), plain.placement(), List.of(), false, plain.config(), Optional.of(origin));
        assertThat(ConfigTransition.violations(clone, VolumeScale.reduced(clone, 1, 2, "w")))
                .isEmpty();
    }

    private static VolumeRecord volume() {
        List<ReplicaPlacement> placement = List.of(
                new ReplicaPlacement(REPLICAS[0], new NodeName("n1")),
                new ReplicaPlacement(REPLICAS[1], new NodeName("n2")),
                new ReplicaPlacement(REPLICAS[2], new NodeName("n3")));
        List<InSyncMember> inSync =
                placement.stream().map(p -> new InSyncMember(p.replica(), 0)).toList();
        return new VolumeRecord(
                new VolumeId(UUID.randomUUID()),
                new VolumeSpec("data", 1 << 20, 3, 2, "default", PoolFullPolicy.STALL, RecoveryPolicy.ANY),
                placement,
                List.of(),
                false,
                new VolumeConfig(1, 1, REPLICAS[0], inSync, 0, 1 << 20, 0, List.of(), 0, "w"));
    }
}
