package io.gabion.store.device;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A fixed pool of threads that make blocking system calls. */
public final class ThreadedBlockDevice implements BlockDevice {
    /** Keeps a fast disk busy with random reads; more only costs switches. */
    private static final int THREADS = 8;
    /** Up to this many writes one thread makes one after the other; more are spread over the pool. */
    private static final int SEQUENTIAL_PIECES = 2;

    private static final long CLOSE_WAIT_SECONDS = 60;

    private final DeviceFile file;
    private final ExecutorService pool;

    public ThreadedBlockDevice(DeviceFile file, String name) {
        this.file = file;
        AtomicInteger number = new AtomicInteger();
        this.pool = Executors.newFixedThreadPool(THREADS, task -> {
            Thread thread = new Thread(task, name + "-io-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    @Override
    public void writeDurably(List<Piece> pieces, Completion completion) {
        if (pieces.size() <= SEQUENTIAL_PIECES) {
            pool.execute(() -> run(completion, () -> {
                for (Piece piece : pieces) {
                    file.write(piece.position(), piece.buffer());
                }
                file.sync();
            }));
            return;
        }
        AtomicInteger open = new AtomicInteger(pieces.size());
        AtomicReference<@Nullable IOException> failure = new AtomicReference<>();
        for (Piece piece : pieces) {
            pool.execute(() -> {
                try {
                    file.write(piece.position(), piece.buffer());
                } catch (IOException e) {
                    failure.set(e);
                }
                if (open.decrementAndGet() == 0) {
                    run(completion, () -> {
                        IOException first = failure.get();
                        if (first != null) {
                            throw first;
                        }
                        file.sync();
                    });
                }
            });
        }
    }

    @Override
    public void read(List<Piece> pieces, Completion completion) {
        pool.execute(() -> run(completion, () -> {
            for (Piece piece : pieces) {
                file.read(piece.position(), piece.buffer());
            }
        }));
    }

    @Override
    public String backend() {
        return "threads";
    }

    @Override
    public void close() throws IOException {
        pool.shutdown();
        try {
            if (!pool.awaitTermination(CLOSE_WAIT_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException("writes are still in flight after " + CLOSE_WAIT_SECONDS + " s; the lock stays");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for writes in flight", e);
        }
        file.close();
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void run(Completion completion, Work work) {
        IOException failure = null;
        try {
            work.run();
        } catch (IOException e) {
            failure = e;
        } catch (RuntimeException e) {
            failure = new IOException("I/O failed: " + e, e);
        }
        completion.completed(failure);
    }
}
