package io.gabion.simulator.disk;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.RegionState;
import io.gabion.core.message.RequestId;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.simulator.Dice;
import io.gabion.simulator.Scheduler;
import io.gabion.simulator.Trace;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ReplicaDiskTest {
    private final Scheduler scheduler = new Scheduler();
    private final PayloadLedger ledger = new PayloadLedger();
    private final List<Event> events = new ArrayList<>();
    private final ReplicaDisk disk = new ReplicaDisk(
            "n1", scheduler, new Dice(1), new Trace(scheduler, null), new ReplicaDisk.Settings(1000, 8));
    private long ticket;

    private void open() {
        disk.open(false, ledger, events::add, (_, _) -> {});
    }

    private LogRecord.Written write(long epoch, long seq, long block, long stamp) {
        return new LogRecord.Written(
                new Lsn(epoch, seq), Lsn.ZERO, ByteRange.ofBlocks(block, 1), RequestId.NONE, payload(stamp));
    }

    private StampPayload payload(long stamp) {
        long[] stamps = new long[StampPayload.STAMPS_PER_BLOCK];
        for (int i = 0; i < stamps.length; i++) {
            stamps[i] = stamp + i;
        }
        return new StampPayload(stamps, ledger);
    }

    private void append(LogRecord record) {
        disk.execute(new Effect.Append(++ticket, record));
    }

    private void sync() {
        scheduler.runUntil(scheduler.nowNanos() + 1_000_000_000);
    }

    @Test
    void appendedIsReportedInOrderAndPayloadsAreReleased() {
        open();
        append(write(1, 1, 5, 100));
        append(write(1, 2, 5, 200));
        sync();
        assertThat(events).last().isEqualTo(new Event.Appended(2));
        assertThat(disk.image().version(5).lsn()).isEqualTo(new Lsn(1, 2));
        assertThat(ledger.live()).isZero();
    }

    @Test
    void copyKeepsWhatCameByTheLiveStreamAndReplacesEverythingElse() {
        open();
        append(write(3, 7, 1, 100));
        append(write(2, 9, 2, 200));
        append(new LogRecord.Copied(
                3,
                List.of(
                        new BlockRun(1, 1, new Lsn(3, 4), Optional.of(payload(300))),
                        new BlockRun(2, 1, new Lsn(1, 1), Optional.empty()))));
        sync();
        assertThat(disk.image().version(1).lsn()).isEqualTo(new Lsn(3, 7));
        assertThat(disk.image().version(2).isHole()).isTrue();
        assertThat(disk.image().version(2).lsn()).isEqualTo(new Lsn(1, 1));
    }

    @Test
    void equalContentHasEqualRegionHashesHoweverItCameAbout() {
        ReplicaDisk other = new ReplicaDisk(
                "n2", scheduler, new Dice(2), new Trace(scheduler, null), new ReplicaDisk.Settings(1000, 8));
        other.open(false, ledger, events::add, (_, _) -> {});
        open();
        append(write(1, 1, 5, 100));
        append(write(1, 2, 5, 200));
        other.execute(new Effect.Append(
                1, new LogRecord.Copied(4, List.of(new BlockRun(5, 1, new Lsn(1, 2), Optional.of(payload(200)))))));
        sync();
        assertThat(other.image().regionTable().stream().map(RegionState::hash))
                .isEqualTo(disk.image().regionTable().stream()
                        .map(RegionState::hash)
                        .toList());
        assertThat(other.image().difference(disk.image())).isEmpty();
    }

    @Test
    void crashKeepsWhatWasReportedDurable() {
        for (int round = 0; round < 50; round++) {
            open();
            append(write(1, 2L * round + 1, 5, 100 + round * 16));
            sync();
            append(write(1, 2L * round + 2, 6, 100));
            disk.hostCrashed();
            assertThat(disk.image().version(5).lsn()).isEqualTo(new Lsn(1, 2L * round + 1));
        }
    }

    @Test
    void forgottenChangesAreNotAnswered() {
        open();
        for (int seq = 1; seq <= 20; seq++) {
            append(new LogRecord.Written(
                    new Lsn(1, seq),
                    new Lsn(1, Math.max(0, seq - 1)),
                    ByteRange.ofBlocks(seq, 1),
                    RequestId.NONE,
                    payload(seq * 8L)));
        }
        sync();
        assertThat(disk.image().changesAfter(new Lsn(1, 1))).isEmpty();
        assertThat(disk.image().changesAfter(new Lsn(1, 18)).orElseThrow()).hasSize(2);
    }
}
