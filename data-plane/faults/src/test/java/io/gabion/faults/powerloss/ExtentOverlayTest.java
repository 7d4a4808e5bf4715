package io.gabion.faults.powerloss;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The overlay against an array of bytes. */
class ExtentOverlayTest {
    private static final int FILE_BYTES = 300;
    private static final byte NOTHING = -1;

    @Test
    void theNewestBytesWinWhateverTheOverlap() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        for (int run = 0; run < 300; run++) {
            ExtentOverlay overlay = new ExtentOverlay();
            byte[] model = new byte[FILE_BYTES];
            Arrays.fill(model, NOTHING);
            for (int step = 0; step < 40; step++) {
                int start = random.nextInt(FILE_BYTES);
                int end = start + 1 + random.nextInt(FILE_BYTES - start);
                byte[] data = new byte[end - start];
                switch (random.nextInt(4)) {
                    case 0 -> {
                        overlay.cut(start, end);
                        Arrays.fill(model, start, end, NOTHING);
                    }
                    case 1 -> {
                        overlay.put(start, end, null);
                        Arrays.fill(model, start, end, (byte) 0);
                    }
                    default -> {
                        for (int i = 0; i < data.length; i++) {
                            data[i] = (byte) (1 + random.nextInt(100));
                        }
                        overlay.put(start, end, MemorySegment.ofArray(data));
                        System.arraycopy(data, 0, model, start, data.length);
                    }
                }
                int from = random.nextInt(FILE_BYTES);
                int to = from + 1 + random.nextInt(FILE_BYTES - from);
                assertThat(contents(overlay, from, to))
                        .as("seed %d", seed)
                        .isEqualTo(Arrays.copyOfRange(model, from, to));
            }
        }
    }

    private static byte[] contents(ExtentOverlay overlay, int from, int to) {
        byte[] found = new byte[to - from];
        Arrays.fill(found, NOTHING);
        for (ExtentOverlay.Extent extent : overlay.within(from, to)) {
            for (long i = extent.start(); i < extent.end(); i++) {
                MemorySegment data = extent.data();
                found[(int) i - from] = data == null ? 0 : data.get(ValueLayout.JAVA_BYTE, i - extent.start());
            }
        }
        return found;
    }
}
