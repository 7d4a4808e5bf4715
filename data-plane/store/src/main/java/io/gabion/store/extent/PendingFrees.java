package io.gabion.store.extent;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/**
 * Blocks that nothing refers to any more but that must not be used again yet: replay may still meet the record that wrote
 * them, until a checkpoint covers the record that freed them; and readers that began before may still read them.
 */
final class PendingFrees {
    private final Deque<Generation> covered = new ArrayDeque<>();
    private Generation current = new Generation();
    private Generation closing = new Generation();

    void add(long start, long blocks) {
        current.add(start, blocks);
    }

    /** What was freed so far is in the checkpoint that begins now. */
    void beginCheckpoint() {
        closing = current;
        current = new Generation();
    }

    /** The checkpoint is durable. Readers numbered lower than {@code nextReader} may hold what it covers. */
    void checkpointDone(long nextReader) {
        closing.firstFreeReader = nextReader;
        covered.add(closing);
        closing = new Generation();
    }

    /** Hands out every run that neither replay nor a reader needs; {@code oldestReader} is the lowest number still active. */
    void drain(long oldestReader, RunVisitor visitor) {
        while (!covered.isEmpty() && covered.element().firstFreeReader <= oldestReader) {
            covered.remove().forEach(visitor);
        }
    }

    /** Takes a run. */
    interface RunVisitor {
        void run(long start, long blocks);
    }

    private static final class Generation {
        private long[] runs = new long[16];
        private int size;
        private long firstFreeReader;

        void add(long start, long blocks) {
            if (size > 0 && runs[size - 2] + runs[size - 1] == start) {
                runs[size - 1] += blocks;
                return;
            }
            if (size == runs.length) {
                runs = Arrays.copyOf(runs, size * 2);
            }
            runs[size++] = start;
            runs[size++] = blocks;
        }

        void forEach(RunVisitor visitor) {
            for (int i = 0; i < size; i += 2) {
                visitor.run(runs[i], runs[i + 1]);
            }
        }
    }
}
