package io.gabion.protocol.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class SnapshotCodecTest {
    private static final VolumeId VOLUME = new VolumeId(UUID.randomUUID());

    @Test
    void everyStageOfASnapshotComesBackAsItWas() {
        SnapshotRecord wanted = new SnapshotRecord(VOLUME, "before-upgrade", 7, Optional.empty(), 1234, false, 1);
        SnapshotRecord taken = wanted.withNumber(8).withTaken(new SnapshotRecord.Taken(new Lsn(3, 99), 1 << 20));
        SnapshotRecord deleting = taken.withDeleting();
        assertThat(deleting.version()).isEqualTo(4);
        for (SnapshotRecord record : new SnapshotRecord[] {wanted, taken, deleting}) {
            assertThat(SnapshotCodec.fromProto(SnapshotCodec.toProto(record))).isEqualTo(record);
        }
    }

    @Test
    void whatIsWrongIsNamed() {
        var good = SnapshotCodec.toProto(new SnapshotRecord(
                VOLUME, "s1", 1, Optional.of(new SnapshotRecord.Taken(new Lsn(1, 2), 4096)), 0, false, 1));
        assertThatThrownBy(() ->
                        SnapshotCodec.fromProto(good.toBuilder().setVolume("x").build()))
                .hasMessageContaining("volume");
        assertThatThrownBy(() ->
                        SnapshotCodec.fromProto(good.toBuilder().setLsn("1:2").build()))
                .hasMessageContaining("lsn");
        assertThatThrownBy(() ->
                        SnapshotCodec.fromProto(good.toBuilder().setLsn("1.x").build()))
                .hasMessageContaining("lsn");
        assertThatThrownBy(() ->
                        SnapshotCodec.fromProto(good.toBuilder().setNumber(0).build()))
                .hasMessageContaining("number");
        assertThatThrownBy(() ->
                        SnapshotCodec.fromProto(good.toBuilder().setVersion(0).build()))
                .hasMessageContaining("version");
        for (String name : new String[] {"", "Upper", "a b", "-a", "a-", "a/b", "a@b", "x".repeat(64)}) {
            assertThatThrownBy(() -> SnapshotCodec.fromProto(
                            good.toBuilder().setName(name).build()))
                    .as(name)
                    .hasMessageContaining("name");
        }
    }
}
