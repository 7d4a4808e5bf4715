package io.gabion.core.volume;

import static io.gabion.core.volume.Bench.N1;
import static io.gabion.core.volume.Bench.N2;
import static io.gabion.core.volume.Bench.N3;
import static io.gabion.core.volume.Bench.R1;
import static io.gabion.core.volume.Bench.R2;
import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Damaged blocks are replaced by copies of the same version. */
class RepairTest {
    private static final Lsn VERSION = new Lsn(2, 1);

    private final Bench b = new Bench(N1, R1);

    @BeforeEach
    void active() {
        b.becomeActive();
    }

    private void damaged(long first, int blocks) {
        List<BlockVersion> versions = LongStream.range(first, first + blocks)
                .mapToObj(block -> new BlockVersion(block, VERSION, 7))
                .toList();
        b.step(new Event.BlocksDamaged(SnapshotPoint.HEAD, versions));
    }

    private PeerMessage.FetchBlocks asked(NodeName node) {
        return b.sent(node, PeerMessage.FetchBlocks.class).getLast();
    }

    private HeapPayload answered(PeerMessage.FetchBlocks fetch, Lsn version) {
        HeapPayload payload = HeapPayload.of(new byte[fetch.range().blockCount() * BlockGeometry.BLOCK_BYTES]);
        BlockRun run =
                new BlockRun(fetch.range().firstBlock(), fetch.range().blockCount(), version, Optional.of(payload));
        b.from(N2, new PeerMessage.Blocks(Bench.VOLUME, 2, R2, fetch.fetch(), List.of(run)));
        return payload;
    }

    @Test
    void copyOfTheSameVersionIsPutInItsPlace() {
        damaged(5, 3);
        assertThat(asked(N2).range()).isEqualTo(ByteRange.ofBlocks(5, 3));
        answered(asked(N2), VERSION);
        assertThat(b.appended(LogRecord.Repaired.class)).hasSize(1);
    }

    @Test
    void memberWithAnotherVersionIsNoSourceAndTheNextIsAsked() {
        damaged(5, 1);
        answered(asked(N2), new Lsn(2, 9));
        assertThat(b.appended(LogRecord.Repaired.class)).isEmpty();
        b.from(
                N3,
                new PeerMessage.BlocksUnreadable(
                        Bench.VOLUME, 2, Bench.R3, asked(N3).fetch(), "bad there too"));
        assertThat(b.sent(N3, PeerMessage.FetchBlocks.class)).hasSize(1);
        assertThat(b.sent(N2, PeerMessage.FetchBlocks.class)).hasSize(1);
    }

    @Test
    void lostLinkIsNoReasonToWait() {
        damaged(5, 1);
        b.step(new Event.PeerDown(N2, Event.DownReason.RESET));
        assertThat(asked(N3).range()).isEqualTo(ByteRange.ofBlocks(5, 1));
    }

    @Test
    void sameDamageToldAgainIsAskedForOnce() {
        damaged(5, 1);
        damaged(5, 1);
        assertThat(b.sent(N2, PeerMessage.FetchBlocks.class)).hasSize(1);
    }

    @Test
    void muchDamageIsRepairedInSmallPiecesAFewAtATime() {
        damaged(0, 1000);
        assertThat(b.sent(N2, PeerMessage.FetchBlocks.class))
                .hasSize(4)
                .allMatch(fetch -> fetch.range().blockCount() <= 64);
    }
}
