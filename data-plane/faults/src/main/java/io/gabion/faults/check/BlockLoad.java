package io.gabion.faults.check;

import io.gabion.faults.nbd.NbdClient;
import io.gabion.faults.nbd.NbdReply;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Random requests on one volume, all told to a {@link BlockHistory}: a fixed number in flight until {@link #stop}.
 *
 * <p>An error answer is counted and the load goes on; when the connection ends the load ends. Thread safe.
 */
public final class BlockLoad implements AutoCloseable {
    /** Enough to find the cause; the counter counts all. */
    private static final int MAX_ERROR_DETAILS = 20;

    private static final int FUA_ONE_IN = 8;
    private static final int ZEROES_ONE_IN = 4;
    private static final int PERCENT = 100;

    private final NbdClient client;
    private final BlockHistory history;
    private final LoadShape shape;
    private final Pauses pauses = new Pauses();
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicLong answers = new AtomicLong();
    private final AtomicLong writesAnswered = new AtomicLong();
    private final AtomicLong bytesWritten = new AtomicLong();
    private final AtomicLong errors = new AtomicLong();
    private final List<String> errorDetails = new ArrayList<>();
    private volatile boolean stopping;

    private BlockLoad(NbdClient client, BlockHistory history, LoadShape shape) {
        this.client = client;
        this.history = history;
        this.shape = shape;
    }

    /** Starts; the history must be of the client's volume, or of a prefix of it. */
    public static BlockLoad start(NbdClient client, BlockHistory history, LoadShape shape, long seed) {
        BlockLoad load = new BlockLoad(client, history, shape);
        Random seeds = new Random(seed);
        for (int i = 0; i < shape.outstanding(); i++) {
            Random random = new Random(seeds.nextLong());
            Thread thread = Thread.ofPlatform().daemon().name("load-" + i).unstarted(() -> load.run(random));
            load.threads.add(thread);
        }
        load.threads.forEach(Thread::start);
        return load;
    }

    private void run(Random random) {
        ByteBuffer buffer = ByteBuffer.allocate(shape.maxBlocks() * BlockHistory.BLOCK_BYTES);
        while (!stopping && client.ended().isEmpty()) {
            int dice = random.nextInt(PERCENT);
            int length = (1 + random.nextInt(shape.maxBlocks())) * BlockHistory.BLOCK_BYTES;
            long offset = offset(random, length);
            boolean mayWrite = bytesWritten.get() < shape.maxWrittenBytes();
            long begun = System.nanoTime();
            NbdReply reply;
            if (mayWrite && dice < shape.writePercent()) {
                reply = write(buffer.clear().limit(length), offset, random.nextInt(FUA_ONE_IN) == 0);
            } else if (mayWrite && dice < shape.writePercent() + shape.trimPercent()) {
                reply = trim(offset, length, random.nextInt(ZEROES_ONE_IN) == 0);
            } else if (dice < shape.writePercent() + shape.trimPercent() + shape.flushPercent()) {
                reply = answer(client.flush());
            } else {
                reply = read(client, history, offset, length);
            }
            count(reply, begun, offset);
        }
    }

    private void count(NbdReply reply, long begunNanos, long offset) {
        switch (reply) {
            case NbdReply.Done _ -> {
                pauses.answered(begunNanos, System.nanoTime());
                answers.incrementAndGet();
            }
            case NbdReply.Failed(int errno) -> error("errno " + errno + " at offset " + offset);
            case NbdReply.Disconnected(String reason) -> error("disconnected: " + reason);
        }
    }

    private long offset(Random random, int length) {
        long blocks = (history.sizeBytes() - length) / BlockHistory.BLOCK_BYTES + 1;
        return random.nextLong(blocks) * BlockHistory.BLOCK_BYTES;
    }

    private NbdReply write(ByteBuffer data, long offset, boolean forceUnitAccess) {
        BlockHistory.Operation write = history.beginWrite(offset, data);
        bytesWritten.addAndGet(data.remaining());
        NbdReply reply = answer(client.write(offset, data, forceUnitAccess));
        if (reply instanceof NbdReply.Done) {
            history.acknowledge(write);
            writesAnswered.incrementAndGet();
        }
        return reply;
    }

    private NbdReply trim(long offset, int length, boolean asZeroes) {
        BlockHistory.Operation trim = history.beginTrim(offset, length);
        NbdReply reply = answer(asZeroes ? client.writeZeroes(offset, length) : client.trim(offset, length));
        if (reply instanceof NbdReply.Done) {
            history.acknowledge(trim);
        }
        return reply;
    }

    private static NbdReply read(NbdClient client, BlockHistory history, long offset, int length) {
        BlockHistory.Operation read = history.beginRead(offset, length);
        NbdReply reply = answer(client.read(offset, length));
        if (reply instanceof NbdReply.Done(ByteBuffer data)) {
            history.check(read, data);
        } else {
            history.abandonRead(read);
        }
        return reply;
    }

    private static NbdReply answer(CompletableFuture<NbdReply> answer) {
        return answer.join();
    }

    private void error(String detail) {
        if (stopping && detail.startsWith("disconnected")) {
            return;
        }
        errors.incrementAndGet();
        synchronized (errorDetails) {
            if (errorDetails.size() < MAX_ERROR_DETAILS) {
                errorDetails.add(detail);
            }
        }
    }

    /**
     * Reads every block of the history's volume once and checks it, with a few reads in flight; the load may go on.
     *
     * @return reads that failed
     */
    public static long checkAll(NbdClient client, BlockHistory history) {
        int lengthBytes = 16 * BlockHistory.BLOCK_BYTES;
        AtomicLong next = new AtomicLong();
        AtomicLong failures = new AtomicLong();
        List<Thread> readers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            readers.add(Thread.ofPlatform().daemon().name("check-" + i).start(() -> {
                for (long at = next.getAndAdd(lengthBytes);
                        at < history.sizeBytes();
                        at = next.getAndAdd(lengthBytes)) {
                    int length = (int) Math.min(lengthBytes, history.sizeBytes() - at);
                    if (!(read(client, history, at, length) instanceof NbdReply.Done)) {
                        failures.incrementAndGet();
                    }
                }
            }));
        }
        readers.forEach(BlockLoad::join);
        return failures.get();
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Requests answered without error so far. */
    public long answers() {
        return answers.get();
    }

    /** Writes answered without error so far. */
    public long writesAnswered() {
        return writesAnswered.get();
    }

    /** Error answers so far, and one for each request that was in flight when the connection ended. */
    public long errors() {
        return errors.get();
    }

    public List<String> errorDetails() {
        synchronized (errorDetails) {
            return List.copyOf(errorDetails);
        }
    }

    public Pauses pauses() {
        return pauses;
    }

    /** Begins no further request and waits for the answers of those in flight, however long that takes. */
    public void stop() {
        stopping = true;
        threads.forEach(BlockLoad::join);
    }

    /** Begins no further request and does not wait. */
    @Override
    public void close() {
        stopping = true;
    }
}
