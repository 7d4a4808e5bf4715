package io.gabion.faults.check;

import static io.gabion.faults.check.BlockHistory.BLOCK_BYTES;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BlockHistoryTest {
    private static final int BLOCKS = 8;

    private final BlockHistory history = new BlockHistory(1, (long) BLOCKS * BLOCK_BYTES);

    @Test
    void aRegisterThatDoesWhatItPromisesIsClean() {
        byte[] disk = new byte[BLOCKS * BLOCK_BYTES];
        Random random = new Random(7);
        for (int i = 0; i < 2_000; i++) {
            int length = (1 + random.nextInt(3)) * BLOCK_BYTES;
            int offset = random.nextInt(BLOCKS - 2) * BLOCK_BYTES;
            switch (random.nextInt(3)) {
                case 0 -> acknowledgedWrite(disk, offset, length);
                case 1 -> {
                    BlockHistory.Operation trim = history.beginTrim(offset, length);
                    System.arraycopy(new byte[length], 0, disk, offset, length);
                    history.acknowledge(trim);
                }
                default -> read(disk, offset, length);
            }
        }
        assertThat(history.findings().clean()).isTrue();
        assertThat(history.findings().blocksRead()).isPositive();
        assertThat(history.remembered()).isLessThanOrEqualTo(BLOCKS);
    }

    @Test
    void anAcknowledgedWriteThatIsGoneIsLost() {
        byte[] disk = new byte[BLOCKS * BLOCK_BYTES];
        acknowledgedWrite(disk, 0, BLOCK_BYTES);
        read(new byte[disk.length], 0, BLOCK_BYTES);
        assertThat(history.findings().lostBlocks()).isOne();
        assertThat(history.findings().details().getFirst()).contains("lost write at offset 0", "zeros");
    }

    @Test
    void anOlderValueIsALostWrite() {
        byte[] disk = new byte[BLOCKS * BLOCK_BYTES];
        acknowledgedWrite(disk, 0, BLOCK_BYTES);
        byte[] old = disk.clone();
        acknowledgedWrite(disk, 0, BLOCK_BYTES);
        read(old, 0, BLOCK_BYTES);
        assertThat(history.findings().lostBlocks()).isOne();
    }

    @Test
    void anUnansweredWriteMayBeThereOrNotUntilItWasSeen() {
        byte[] disk = new byte[BLOCKS * BLOCK_BYTES];
        byte[] before = disk.clone();
        write(disk, 0, BLOCK_BYTES);
        read(before, 0, BLOCK_BYTES);
        read(disk, 0, BLOCK_BYTES);
        assertThat(history.findings().clean()).isTrue();
        read(before, 0, BLOCK_BYTES);
        assertThat(history.findings().lostBlocks()).isOne();
    }

    @Test
    void ofTwoOverlappingWritesEitherMayWinButNotFirstOneThenTheOtherThenTheFirst() {
        byte[] one = new byte[BLOCKS * BLOCK_BYTES];
        byte[] two = new byte[BLOCKS * BLOCK_BYTES];
        BlockHistory.Operation first = write(one, 0, BLOCK_BYTES);
        BlockHistory.Operation second = write(two, 0, BLOCK_BYTES);
        history.acknowledge(second);
        history.acknowledge(first);
        read(one, 0, BLOCK_BYTES);
        read(one, 0, BLOCK_BYTES);
        assertThat(history.findings().clean()).isTrue();
        read(two, 0, BLOCK_BYTES);
        assertThat(history.findings().lostBlocks()).isOne();
    }

    @Test
    void aReadThatBeganBeforeTheWriteEndedMaySeeTheOldValue() {
        byte[] disk = new byte[BLOCKS * BLOCK_BYTES];
        byte[] before = disk.clone();
        BlockHistory.Operation slow = history.beginRead(0, BLOCK_BYTES);
        acknowledgedWrite(disk, 0, BLOCK_BYTES);
        history.check(slow, ByteBuffer.wrap(before, 0, BLOCK_BYTES));
        assertThat(history.findings().clean()).isTrue();
    }

    @Test
    void mixedSectorsDamagedBytesAndOtherPlacesAreWrongBytes() {
        byte[] disk = new byte[BLOCKS * BLOCK_BYTES];
        acknowledgedWrite(disk, 0, BLOCK_BYTES);
        byte[] torn = disk.clone();
        acknowledgedWrite(disk, 0, BLOCK_BYTES);
        System.arraycopy(disk, 0, torn, 0, 512);
        read(torn, 0, BLOCK_BYTES);
        byte[] damaged = disk.clone();
        damaged[777] ^= 4;
        read(damaged, 0, BLOCK_BYTES);
        byte[] elsewhere = disk.clone();
        System.arraycopy(disk, 0, elsewhere, BLOCK_BYTES, BLOCK_BYTES);
        read(elsewhere, BLOCK_BYTES, BLOCK_BYTES);
        assertThat(history.findings().wrongBlocks()).isEqualTo(3);
        assertThat(history.findings().details().getFirst()).contains("1/2 1/1 1/1");
    }

    @Test
    void aTrimmedBlockReadsZerosAndNothingElse() {
        byte[] disk = new byte[BLOCKS * BLOCK_BYTES];
        acknowledgedWrite(disk, 0, BLOCK_BYTES);
        history.acknowledge(history.beginTrim(0, BLOCK_BYTES));
        read(new byte[disk.length], 0, BLOCK_BYTES);
        assertThat(history.findings().clean()).isTrue();
        read(disk, 0, BLOCK_BYTES);
        assertThat(history.findings().lostBlocks()).isOne();
    }

    @Test
    void randomConcurrentHistoriesOfARealRegisterAreClean() {
        record Pending(BlockHistory.Operation operation, ByteBuffer data) {}
        byte[] disk = new byte[BLOCKS * BLOCK_BYTES];
        Random random = new Random(11);
        List<Pending> pending = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            int offset = random.nextInt(BLOCKS) * BLOCK_BYTES;
            if (pending.size() < 6 && random.nextBoolean()) {
                ByteBuffer data = ByteBuffer.allocate(BLOCK_BYTES);
                boolean trim = random.nextInt(4) == 0;
                pending.add(new Pending(
                        trim ? history.beginTrim(offset, BLOCK_BYTES) : history.beginWrite(offset, data), data));
            } else if (!pending.isEmpty() && random.nextBoolean()) {
                Pending done = pending.remove(random.nextInt(pending.size()));
                System.arraycopy(
                        done.data().array(), 0, disk, (int) done.operation().offset(), BLOCK_BYTES);
                history.acknowledge(done.operation());
            } else {
                read(disk, offset, BLOCK_BYTES);
            }
        }
        assertThat(history.findings().details()).isEmpty();
        assertThat(history.remembered()).isLessThanOrEqualTo(BLOCKS + 12L);
    }

    private BlockHistory.Operation write(byte[] disk, int offset, int length) {
        return history.beginWrite(offset, ByteBuffer.wrap(disk, offset, length));
    }

    private void acknowledgedWrite(byte[] disk, int offset, int length) {
        history.acknowledge(write(disk, offset, length));
    }

    private void read(byte[] disk, int offset, int length) {
        BlockHistory.Operation read = history.beginRead(offset, length);
        history.check(read, ByteBuffer.wrap(disk, offset, length).slice());
    }
}
