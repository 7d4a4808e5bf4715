package io.gabion.core.volume;

import static io.gabion.core.volume.Bench.N1;
import static io.gabion.core.volume.Bench.N2;
import static io.gabion.core.volume.Bench.N3;
import static io.gabion.core.volume.Bench.R1;
import static io.gabion.core.volume.Bench.R2;
import static io.gabion.core.volume.Bench.R3;
import static io.gabion.core.volume.Bench.three;
import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.ReplicaRecord;
import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeOrigin;
import io.gabion.model.VolumeRecord;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** How the replicas of a clone begin. */
class CloneTest {
    private static final VolumeOrigin ORIGIN = new VolumeOrigin(new VolumeId(new UUID(9, 9)), 4, new Lsn(6, 77));

    private final Bench b = new Bench(N1, R1);

    private static VolumeRecord cloneIn(long epoch) {
        VolumeRecord record = three(epoch, R1);
        return new VolumeRecord(
                record.id(), record.spec(), record.placement(), List.of(), false, record.config(), Optional.of(ORIGIN));
    }

    private ReplicaRecord clones() {
        Effect.Clone wanted = b.all(Effect.Clone.class).getFirst();
        assertThat(wanted.origin()).isEqualTo(ORIGIN);
        return wanted.record();
    }

    private void cloned(boolean done) {
        b.step(new Event.Cloned(b.only(Effect.Clone.class).ticket(), done));
    }

    private void equal(long epoch) {
        b.durable();
        b.promisedAndEqual(N2, R2, epoch);
        b.promisedAndEqual(N3, R3, epoch);
    }

    @Test
    void founderIsInSyncOnceTheStoreHasItsContent() {
        b.step(new Event.Create(cloneIn(7), R1));
        b.peersUp();
        assertThat(clones().status()).isEqualTo(ReplicaStatus.IN_SYNC);
        assertThat(b.all(Effect.Append.class)).isEmpty();
        assertThat(b.sent(N2, PeerMessage.NewEpoch.class)).isEmpty();
        cloned(true);
        equal(7);
        assertThat(b.swapWins().config().epoch())
                .as("nothing is written in the first epoch")
                .isEqualTo(8);
        equal(8);
        assertThat(b.replica.view().phase()).isEqualTo("serving");
    }

    @Test
    void founderThatCannotHaveTheContentIsNone() {
        b.step(new Event.Create(cloneIn(7), R1));
        b.peersUp();
        cloned(false);
        b.durable();
        assertThat(b.appended(LogRecord.ReplicaChanged.class)
                        .getFirst()
                        .record()
                        .status())
                .isEqualTo(ReplicaStatus.EMPTY);
        assertThat(b.sent(N2, PeerMessage.NewEpoch.class)).isEmpty();
        assertThat(b.sent(N2, PeerMessage.StateReport.class).getFirst().intact())
                .isFalse();
        assertThat(b.all(Effect.SwapConfig.class)).isEmpty();
    }

    @Test
    void replicaThatComesLaterHasLessToCopyButIsNotInSync() {
        b.step(new Event.Create(cloneIn(9), R1));
        b.peersUp();
        assertThat(clones().status()).isEqualTo(ReplicaStatus.EMPTY);
        cloned(true);
        assertThat(b.replica.view().role()).isEqualTo("empty");
        assertThat(b.all(Effect.SwapConfig.class)).isEmpty();
    }

    @Test
    void nothingIsPromisedWhileTheStoreIsAtWork() {
        Bench member = new Bench(N2, R2);
        member.step(new Event.Create(cloneIn(7), R2));
        member.peersUp();
        member.from(N1, new PeerMessage.NewEpoch(Bench.VOLUME, 7, R1, cloneIn(7), Lsn.ZERO));
        assertThat(member.all(Effect.Append.class)).isEmpty();
        member.step(new Event.Cloned(member.only(Effect.Clone.class).ticket(), true));
        member.from(N1, new PeerMessage.NewEpoch(Bench.VOLUME, 7, R1, cloneIn(7), Lsn.ZERO));
        member.durable();
        assertThat(member.sent(N1, PeerMessage.EpochPromised.class)).hasSize(1);
    }
}
