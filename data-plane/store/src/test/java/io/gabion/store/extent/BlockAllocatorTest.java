package io.gabion.store.extent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BlockAllocatorTest {
    @Test
    void bitmapAgreesWithAnArray() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        Bitmap bitmap = new Bitmap(1000);
        boolean[] model = new boolean[1000];
        for (int step = 0; step < 5000; step++) {
            int from = random.nextInt(1000);
            int count = random.nextInt(Math.min(200, 1001 - from));
            boolean value = random.nextBoolean();
            long changed = 0;
            for (int i = from; i < from + count; i++) {
                changed += model[i] == value ? 0 : 1;
                model[i] = value;
            }
            assertThat(value ? bitmap.set(from, count) : bitmap.clear(from, count))
                    .as("seed " + seed)
                    .isEqualTo(changed);
            int start = random.nextInt(1000);
            int next = start;
            while (next < 1000 && model[next]) {
                next++;
            }
            assertThat(bitmap.nextClear(start, 1000)).as("seed " + seed).isEqualTo(next);
            next = start;
            while (next < 1000 && !model[next]) {
                next++;
            }
            assertThat(bitmap.nextSet(start, 1000)).as("seed " + seed).isEqualTo(next);
        }
    }

    @Test
    void freedBlocksAreUsedAgainOnlyAfterTheCheckpointAndTheReadersBefore() {
        BlockAllocator allocator = new BlockAllocator(4096);
        long free = allocator.freeBlocks();
        Run run = allocator.reserveSegment(100, 100).orElseThrow();
        allocator.makeLive(run.start(), 100);
        allocator.free(run.start(), 100);
        allocator.reclaim(Long.MAX_VALUE);
        assertThat(allocator.freeBlocks()).isEqualTo(free - 100);
        allocator.beginCheckpoint();
        allocator.reclaim(Long.MAX_VALUE);
        assertThat(allocator.freeBlocks()).isEqualTo(free - 100);
        allocator.checkpointDone(8);
        allocator.reclaim(7);
        assertThat(allocator.freeBlocks()).isEqualTo(free - 100);
        allocator.reclaim(8);
        assertThat(allocator.freeBlocks()).isEqualTo(free);
        allocator.verifyAccounting();
    }

    @Test
    void logGoesToTheReserveZoneWhenTheMainZoneIsInPieces() {
        BlockAllocator allocator = new BlockAllocator(4096);
        List<Run> all = allocator.reservePieces((int) allocator.freeBlocks()).orElseThrow();
        long start = all.getFirst().start();
        for (long block = start; block < start + 400; block += 2) {
            allocator.unreserve(block, 1);
        }
        Run segment = allocator.reserveSegment(64, 48).orElseThrow();
        assertThat(allocator.inReserveZone(segment.start())).isTrue();
        assertThat(allocator.reservePieces(150).orElseThrow()).hasSize(150);
        assertThat(allocator.reservePieces(60)).isEmpty();
        assertThat(allocator.reservePieces(50)).isPresent();
        assertThat(allocator.freeBlocks()).isZero();
        allocator.verifyAccounting();
    }

    @Test
    void freeingTwiceIsFoundAtOnce() {
        BlockAllocator allocator = new BlockAllocator(4096);
        Run run = allocator.reserveSegment(10, 10).orElseThrow();
        allocator.makeLive(run.start(), 10);
        allocator.free(run.start(), 10);
        assertThatThrownBy(() -> allocator.free(run.start(), 1)).isInstanceOf(IllegalStateException.class);
    }
}
