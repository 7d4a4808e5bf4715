package io.gabion.protocol.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.model.Attachment;
import io.gabion.model.ClusterId;
import io.gabion.model.DiskId;
import io.gabion.model.DiskRecord;
import io.gabion.model.InSyncMember;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
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

class ControlCodecTest {
    private static final ReplicaId A = new ReplicaId(UUID.randomUUID());
    private static final ReplicaId B = new ReplicaId(UUID.randomUUID());

    @Test
    void everyRecordSurvivesTheRoundTrip() {
        VolumeRecord volume = volume();
        assertThat(ControlCodec.fromProto(ControlCodec.toProto(volume))).isEqualTo(volume);
        VolumeRecord clone = clone(volume);
        assertThat(ControlCodec.fromProto(ControlCodec.toProto(clone))).isEqualTo(clone);
        DiskRecord disk = new DiskRecord(
                new DiskId(UUID.randomUUID()), new ClusterId(UUID.randomUUID()), new NodeName("n1"), "default", 7, 3);
        assertThat(ControlCodec.fromProto(ControlCodec.toProto(disk))).isEqualTo(disk);
        NodeRecord node = new NodeRecord(new NodeName("n1"), "127.0.0.1", 1, 2, 3, "0.1", 9);
        assertThat(ControlCodec.fromProto(ControlCodec.toProto(node))).isEqualTo(node);
        PoolRecord pool = new PoolRecord("fast", List.of(new NodeName("n1"), new NodeName("n2")), 1);
        assertThat(ControlCodec.fromProto(ControlCodec.toProto(pool))).isEqualTo(pool);
    }

    private static VolumeRecord clone(VolumeRecord volume) {
        return new VolumeRecord(
                volume.id(),
                volume.spec(),
                volume.placement(),
                volume.removed(),
                volume.deleting(),
                volume.config(),
                Optional.of(new VolumeOrigin(new VolumeId(UUID.randomUUID()), 3, new Lsn(2, 17))));
    }

    @Test
    void anOriginThatIsNoneIsNamed() {
        var valid = ControlCodec.toProto(clone(volume()));
        var noVolume = valid.toBuilder();
        noVolume.getOriginBuilder().setVolume("x");
        var noSnapshot = valid.toBuilder();
        noSnapshot.getOriginBuilder().setSnapshot(0);
        var noPlace = valid.toBuilder();
        noPlace.getOriginBuilder().setLsn("2");
        for (var wrong : List.of(noVolume, noSnapshot, noPlace)) {
            assertThatThrownBy(() -> ControlCodec.fromProto(wrong.build())).hasMessageContaining("origin: ");
        }
    }

    @Test
    void invalidFieldsAreNamed() {
        var valid = ControlCodec.toProto(volume());
        assertThatThrownBy(() ->
                        ControlCodec.fromProto(valid.toBuilder().clearConfig().build()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("config: missing");
        var badMember = valid.toBuilder();
        badMember.getConfigBuilder().getInSyncBuilder(1).setReplica("not a uuid");
        assertThatThrownBy(() -> ControlCodec.fromProto(badMember.build())).hasMessageContaining("config.in_sync[1]");
        var badPolicy = valid.toBuilder();
        badPolicy.getSpecBuilder().setOnPoolFullValue(9);
        assertThatThrownBy(() -> ControlCodec.fromProto(badPolicy.build()))
                .hasMessageContaining("spec.on_pool_full")
                .hasMessageContaining("9");
        var badSize = valid.toBuilder();
        badSize.getSpecBuilder().setSizeBytes(1000);
        assertThatThrownBy(() -> ControlCodec.fromProto(badSize.build()))
                .hasMessageContaining("spec: size")
                .hasMessageContaining("4096");
    }

    private static VolumeRecord volume() {
        VolumeSpec spec = new VolumeSpec("data", 1 << 20, 2, 1, "default", PoolFullPolicy.ERROR, RecoveryPolicy.ALL);
        VolumeConfig config = new VolumeConfig(
                4,
                2,
                A,
                List.of(new InSyncMember(A, 1), new InSyncMember(B, 5)),
                3,
                1 << 20,
                6,
                List.of(new Attachment(new NodeName("consumer"), 7, true)),
                8,
                "n1/42");
        return new VolumeRecord(
                new VolumeId(UUID.randomUUID()),
                spec,
                List.of(new ReplicaPlacement(A, new NodeName("n1")), new ReplicaPlacement(B, new NodeName("n2"))),
                List.of(new ReplicaPlacement(new ReplicaId(UUID.randomUUID()), new NodeName("n3"))),
                true,
                config);
    }
}
