package io.gabion.csi.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.csi.backend.StoredVolume;
import io.gabion.csi.backend.VolumeSettings;
import io.gabion.csi.backend.VolumeSettings.Limits;
import io.gabion.csi.rpc.CsiFailure;
import io.gabion.model.Attachment;
import io.gabion.model.InSyncMember;
import io.gabion.model.NodeName;
import io.gabion.model.PoolFullPolicy;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeId;
import io.grpc.Status;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import org.junit.jupiter.api.Test;

final class SessionsTest {
    private static final NodeName A = new NodeName("a");
    private static final NodeName B = new NodeName("b");
    private static final ReplicaId REPLICA = new ReplicaId(new UUID(0, 1));

    private static VolumeConfig config(long floor, Attachment... attachments) {
        return new VolumeConfig(
                7,
                3,
                REPLICA,
                List.of(new InSyncMember(REPLICA, 1)),
                0,
                4096,
                floor,
                List.of(attachments),
                0,
                "before");
    }

    private static StoredVolume volume(boolean deleting) {
        return new StoredVolume(
                "v",
                new VolumeId(new UUID(0, 2)),
                Optional.empty(),
                new VolumeSettings(4096, "p", 1, OptionalInt.empty(), PoolFullPolicy.STALL, true, Limits.NONE),
                List.of(),
                Optional.empty(),
                new StoredVolume.Marks(deleting, false, false, List.of()));
    }

    private static VolumeConfig grant(VolumeConfig config, NodeName node, boolean readOnly) {
        return Sessions.granted(volume(false), config, node, readOnly, "now");
    }

    @Test
    void aGrantTakesAGenerationAboveEverythingThatWasGivenOrTakenBack() {
        assertThat(grant(config(0), A, false).attachments()).containsExactly(new Attachment(A, 1, false));
        assertThat(grant(config(5), A, true).attachments()).containsExactly(new Attachment(A, 6, true));
    }

    @Test
    void aRepeatedGrantChangesNothing() {
        VolumeConfig standing = config(0, new Attachment(A, 4, false));

        assertThat(grant(standing, A, false)).isSameAs(standing);
    }

    @Test
    void theSameNodeWithAnotherModeIsRefused() {
        VolumeConfig standing = config(0, new Attachment(A, 4, false));

        assertThatThrownBy(() -> grant(standing, A, true))
                .isInstanceOfSatisfying(
                        CsiFailure.class, e -> assertThat(e.code()).isEqualTo(Status.Code.ALREADY_EXISTS));
    }

    @Test
    void anotherNodeIsRefusedWithTheNameOfTheHolder() {
        VolumeConfig standing = config(0, new Attachment(A, 4, false));

        assertThatThrownBy(() -> grant(standing, B, false))
                .hasMessage("volume \"v\" is published at node \"a\"; a volume is one node's at a time")
                .isInstanceOfSatisfying(
                        CsiFailure.class, e -> assertThat(e.code()).isEqualTo(Status.Code.FAILED_PRECONDITION));
    }

    @Test
    void anotherNodeWaitsUntilAFenceIsConfirmed() {
        VolumeConfig half = config(5, new Attachment(A, 4, false));

        assertThatThrownBy(() -> grant(half, B, false)).hasMessageContaining("whose session is being fenced");
    }

    @Test
    void theSameNodeGetsANewGenerationWhileItsOldOneIsBeingFenced() {
        VolumeConfig half = config(5, new Attachment(A, 4, false));

        assertThat(grant(half, A, true).attachments()).containsExactly(new Attachment(A, 6, true));
    }

    @Test
    void aVolumeThatIsBeingDeletedIsGivenToNobody() {
        assertThatThrownBy(() -> Sessions.granted(volume(true), config(0), A, false, "now"))
                .hasMessage("volume \"v\" is being deleted");
    }

    @Test
    void aFenceRaisesTheFloorAndKeepsTheAttachment() {
        VolumeConfig fenced = Sessions.fenced(config(0, new Attachment(A, 4, false)), _ -> true, "now");

        assertThat(fenced.sessionFloor()).isEqualTo(5);
        assertThat(fenced.attachments()).hasSize(1);
        assertThat(fenced.version()).isEqualTo(8);
        assertThat(Sessions.fenced(fenced, _ -> true, "again")).isSameAs(fenced);
    }

    @Test
    void onlyFencedAttachmentsAreWithdrawn() {
        VolumeConfig standing = config(5, new Attachment(A, 4, false), new Attachment(B, 6, false));

        assertThat(Sessions.withdrawn(standing, _ -> true, "now").attachments())
                .containsExactly(new Attachment(B, 6, false));
        assertThat(Sessions.withdrawn(standing, a -> a.node().equals(B), "now")).isSameAs(standing);
    }
}
