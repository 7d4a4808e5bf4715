package io.gabion.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.SnapshotPoint;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import io.gabion.store.StoreRig.Told;
import io.gabion.store.log.StoredRecord.Cloned;
import io.gabion.store.log.StoredRecord.SnapshotTaken;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Content that turns out to be bad: nobody ever sees it, its place is not used again, and a good copy takes its place. */
class DamageTest {
    private static final VolumeId VOLUME = new VolumeId(new UUID(5, 1));
    private static final VolumeId CLONE = new VolumeId(new UUID(5, 2));
    private static final long SIZE = 1 << 20;
    private static final byte[] OLD = StoreRig.filled(1, 0x31);
    private static final byte[] NEW = StoreRig.filled(1, 0x32);
    private static final ByteRange BLOCK = ByteRange.ofBlocks(3, 1);

    private final MemoryDiskFiles files = new MemoryDiskFiles();
    private long seq;

    private StoreRig open() throws IOException {
        return StoreRig.open(files);
    }

    /** Block 3 holds 0x31 as version 1.1. */
    private StoreRig openWithBlock() throws IOException {
        StoreRig rig = open();
        rig.appendNow(VOLUME, StoreRig.created(VOLUME, SIZE));
        write(rig, OLD);
        return rig;
    }

    private void write(StoreRig rig, byte[] content) {
        rig.appendNow(VOLUME, StoreRig.written(1, ++seq, 3, content));
    }

    private static LogRecord repair(Lsn version, byte[] content) {
        return new LogRecord.Repaired(new BlockRun(3, 1, version, Optional.of(HeapPayload.of(content))));
    }

    private static Event ask(StoreRig rig, VolumeId volume) {
        return rig.ask(volume, ticket -> new Effect.Read(ticket, BLOCK));
    }

    /** Asks in vain, and returns what the volume is told. */
    private static Damage failingRead(StoreRig rig, VolumeId volume) {
        int before = rig.damages().size();
        assertThat(ask(rig, volume)).isInstanceOf(Event.ReadFailed.class);
        List<Told> told = rig.damages().subList(before, rig.damages().size());
        assertThat(told).hasSize(1).allMatch(each -> each.volume().equals(volume));
        return told.getFirst().damage();
    }

    private static void verify(StoreRig rig) {
        rig.checkpoint();
        rig.onLoop(() -> {
            rig.store.verifyAccounting();
            return true;
        });
        rig.space();
    }

    @Test
    void aFlippedBitIsToldAndRepairedAndItsPlaceIsNeverUsedAgain() throws IOException {
        long place;
        try (StoreRig rig = openWithBlock()) {
            place = files.placeOf(OLD);
            files.flipBit(place, 1234);
            Damage damage = failingRead(rig, VOLUME);
            assertThat(damage.version().block()).isEqualTo(3);
            assertThat(damage.version().lsn()).isEqualTo(new Lsn(1, 1));
            assertThat(damage.place()).isEqualTo(place);
            assertThat(damage.unreadable()).isFalse();
            assertThat(damage.toEvent()).isEqualTo(new Event.BlocksDamaged(0, List.of(damage.version())));
            DiskSpace before = rig.space();
            rig.appendNow(VOLUME, repair(new Lsn(1, 1), OLD));
            assertThat(rig.read(VOLUME, BLOCK)).isEqualTo(OLD);
            verify(rig);
            assertThat(rig.space().live()).isEqualTo(before.live());
            assertThat(rig.health().badPlaces()).isEqualTo(1);
            assertThat(rig.health().checksumFailures()).isEqualTo(1);
            assertThat(rig.health().repairedBlocks()).isEqualTo(1);
            fillSeveralTimes(rig, place);
            rig.abandon();
        }
        try (StoreRig rig = open()) {
            assertThat(rig.health().badPlaces()).isEqualTo(1);
            assertThat(rig.read(VOLUME, BLOCK)).isEqualTo(OLD);
            fillSeveralTimes(rig, place);
            verify(rig);
        }
        try (StoreRig rig = open()) {
            fillSeveralTimes(rig, place);
        }
    }

    private void fillSeveralTimes(StoreRig rig, long place) {
        byte[] before = files.block(place);
        for (int i = 0; i < 40; i++) {
            rig.appendNow(VOLUME, StoreRig.written(1, ++seq + 1000, 16, StoreRig.filled(200, i)));
        }
        assertThat(files.block(place)).isEqualTo(before);
    }

    @Test
    void aBlockThatTheDiskCannotReadIsTreatedTheSame() throws IOException {
        try (StoreRig rig = openWithBlock()) {
            files.failReads(files.placeOf(OLD), 1000);
            assertThat(failingRead(rig, VOLUME).unreadable()).isTrue();
            assertThat(rig.health().readErrors()).isEqualTo(1);
            rig.appendNow(VOLUME, repair(new Lsn(1, 1), OLD));
            assertThat(rig.read(VOLUME, BLOCK)).isEqualTo(OLD);
            verify(rig);
        }
    }

    @Test
    void onlyTheBadBlocksOfALargerReadAreTold() throws IOException {
        try (StoreRig rig = openWithBlock()) {
            rig.appendNow(VOLUME, StoreRig.written(1, ++seq, 4, StoreRig.filled(30, 0x40)));
            files.failReads(files.placeOf(OLD), 1000);
            assertThat(rig.ask(VOLUME, ticket -> new Effect.Read(ticket, ByteRange.ofBlocks(0, 40))))
                    .isInstanceOf(Event.ReadFailed.class);
            assertThat(rig.damages()).hasSize(1);
        }
    }

    @Test
    void whatIsReadWellTheSecondTimeIsNoDamage() throws IOException {
        try (StoreRig rig = openWithBlock()) {
            files.failReads(files.placeOf(OLD), 1);
            assertThat(rig.read(VOLUME, BLOCK)).isEqualTo(OLD);
            assertThat(rig.damages()).isEmpty();
            assertThat(rig.health().badPlaces()).isZero();
        }
    }

    @Test
    void aCopyOfAnotherVersionOrWithOtherContentRepairsNothing() throws IOException {
        try (StoreRig rig = openWithBlock()) {
            files.flipBit(files.placeOf(OLD), 1);
            rig.appendNow(VOLUME, repair(new Lsn(1, 2), OLD));
            rig.appendNow(VOLUME, repair(new Lsn(1, 1), NEW));
            failingRead(rig, VOLUME);
            write(rig, NEW);
            rig.appendNow(VOLUME, repair(new Lsn(1, 1), OLD));
            assertThat(rig.read(VOLUME, BLOCK)).isEqualTo(NEW);
            assertThat(rig.health().repairedBlocks()).isZero();
            verify(rig);
        }
    }

    @Test
    void aBadPlaceRestsOnceItsBlockWasOverwritten() throws IOException {
        try (StoreRig rig = openWithBlock()) {
            long place = files.placeOf(OLD);
            files.flipBit(place, 1);
            failingRead(rig, VOLUME);
            failingRead(rig, VOLUME);
            DiskSpace before = rig.space();
            write(rig, NEW);
            rig.checkpoint();
            verify(rig);
            assertThat(rig.health().badPlaces()).isEqualTo(1);
            assertThat(rig.space().live()).isEqualTo(before.live());
            fillSeveralTimes(rig, place);
        }
    }

    @Test
    void contentThatOnlyASnapshotSeesIsRepairedThere() throws IOException {
        try (StoreRig rig = openWithBlock()) {
            rig.appendNow(new SnapshotTaken(VOLUME, new Lsn(1, ++seq), 7));
            write(rig, NEW);
            files.flipBit(files.placeOf(OLD), 1);
            int before = rig.damages().size();
            assertThat(rig.askAt(VOLUME, 7, ticket -> new Effect.Read(ticket, BLOCK)))
                    .isInstanceOf(Event.ReadFailed.class);
            Damage damage = rig.damages().get(before).damage();
            assertThat(damage.snapshot()).isEqualTo(7);
            rig.appendNow(VOLUME, repair(damage.version().lsn(), OLD));
            assertThat(rig.readAt(VOLUME, 7, BLOCK)).isEqualTo(OLD);
            assertThat(rig.read(VOLUME, BLOCK)).isEqualTo(NEW);
            verify(rig);
        }
        try (StoreRig rig = open()) {
            assertThat(rig.readAt(VOLUME, 7, BLOCK)).isEqualTo(OLD);
        }
    }

    @Test
    void whatACloneInheritsIsRepairedThroughIt() throws IOException {
        try (StoreRig rig = openWithBlock()) {
            rig.appendNow(new Cloned(CLONE, StoreRig.record(CLONE, SIZE, 2, 0, new Lsn(2, 0)), VOLUME, new Lsn(1, 1)));
            assertThat(rig.read(CLONE, BLOCK)).isEqualTo(OLD);
            write(rig, NEW);
            files.flipBit(files.placeOf(OLD), 1);
            Damage damage = failingRead(rig, CLONE);
            assertThat(damage.snapshot()).isEqualTo(SnapshotPoint.HEAD);
            rig.appendNow(CLONE, repair(damage.version().lsn(), OLD));
            assertThat(rig.read(CLONE, BLOCK)).isEqualTo(OLD);
            assertThat(rig.read(VOLUME, BLOCK)).isEqualTo(NEW);
            verify(rig);
        }
        try (StoreRig rig = open()) {
            assertThat(rig.read(CLONE, BLOCK)).isEqualTo(OLD);
            assertThat(rig.read(VOLUME, BLOCK)).isEqualTo(NEW);
        }
    }

    @Test
    void theScrubTellsACloneOfWhatItInheritsFromADeletedVolume() throws IOException {
        try (StoreRig rig = openWithBlock()) {
            rig.appendNow(new Cloned(CLONE, StoreRig.record(CLONE, SIZE, 2, 0, new Lsn(2, 0)), VOLUME, new Lsn(1, 1)));
            rig.appendNow(VOLUME, new LogRecord.ReplicaDeleted());
            files.flipBit(files.placeOf(OLD), 1);
            rig.onLoop(() -> {
                rig.store.startScrub(1L << 40);
                return true;
            });
            for (int i = 0; i < 3000 && rig.damages().isEmpty(); i++) {
                LockSupport.parkNanos(10_000_000);
            }
            assertThat(rig.damages().getFirst().volume()).isEqualTo(CLONE);
            rig.appendNow(CLONE, repair(new Lsn(1, 1), OLD));
            assertThat(rig.read(CLONE, BLOCK)).isEqualTo(OLD);
            verify(rig);
        }
    }

    @Test
    void whatIsReadForAnotherMemberIsToldToo() throws IOException {
        try (StoreRig rig = openWithBlock()) {
            files.flipBit(files.placeOf(OLD), 1);
            Event answer =
                    rig.ask(VOLUME, ticket -> new Effect.ReadBlocks(ticket, BLOCK, true, List.<BlockVersion>of()));
            assertThat(answer).isInstanceOf(Event.ReadFailed.class);
            assertThat(rig.damages()).hasSize(1);
        }
    }

    @Test
    void threeBadBlocksInADayMakeTheDiskSuspectAlsoAfterOpeningItAnew() throws IOException {
        try (StoreRig rig = openWithBlock()) {
            assertThat(rig.health().state()).isEqualTo(DiskHealth.State.ONLINE);
            byte[] three = new byte[3 * 4096];
            for (int i = 0; i < 3; i++) {
                Arrays.fill(three, i * 4096, (i + 1) * 4096, (byte) (0x50 + i));
            }
            rig.appendNow(VOLUME, StoreRig.written(1, ++seq, 10, three));
            for (int i = 0; i < 3; i++) {
                assertThat(rig.health().state()).isEqualTo(DiskHealth.State.ONLINE);
                files.flipBit(files.placeOf(StoreRig.filled(1, 0x50 + i)), 9);
                long block = 10L + i;
                rig.ask(VOLUME, ticket -> new Effect.Read(ticket, ByteRange.ofBlocks(block, 1)));
                // Behind the record of the damage.
                write(rig, NEW);
            }
            assertThat(rig.health().state()).isEqualTo(DiskHealth.State.SUSPECT);
            rig.abandon();
        }
        try (StoreRig rig = open()) {
            assertThat(rig.health().state()).isEqualTo(DiskHealth.State.SUSPECT);
            assertThat(rig.health().reasons()).containsExactly("3 blocks went bad in the last 24 h");
        }
    }
}
