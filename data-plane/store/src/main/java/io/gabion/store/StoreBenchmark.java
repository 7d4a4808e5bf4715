package io.gabion.store;

import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.RequestId;
import io.gabion.core.port.Effect;
import io.gabion.core.port.EpochStart;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.core.port.ReplicaRecord;
import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.ClusterId;
import io.gabion.model.InSyncMember;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.PoolFullPolicy;
import io.gabion.model.RecoveryPolicy;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.model.VolumeSpec;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Measures durable 4 KiB appends and reads of one disk: {@code StoreBenchmark DIRECTORY [SECONDS]}. The directory must be empty
 * or hold an earlier disk of this benchmark; not a test.
 */
public final class StoreBenchmark {
    private static final long CAPACITY_BYTES = 4L << 30;
    private static final long VOLUME_BYTES = 1L << 30;
    private static final NodeName NODE = new NodeName("benchmark");

    private final ExecutorService loop = Executors.newSingleThreadExecutor();
    private final VolumeId volume = new VolumeId(UUID.randomUUID());
    private final Random random = new Random(1);
    private final HeapPayload payload;
    private final DiskStore store;
    private final PrintStream out;
    private long ticket;
    private long seq;
    private long finished;
    private long stopAt;
    private int outstanding;
    private boolean reading;
    private CountDownLatch done = new CountDownLatch(1);

    private StoreBenchmark(Path directory, PrintStream out) throws IOException {
        byte[] content = new byte[BlockGeometry.BLOCK_BYTES];
        random.nextBytes(content);
        payload = HeapPayload.of(content);
        this.out = out;
        ClusterId cluster = new ClusterId(new UUID(1, 1));
        store = DiskStore.open(
                DiskStoreOptions.of(directory, CAPACITY_BYTES, cluster, NODE, new UUID(2, 2)), loop, new StoreEvents() {
                    @Override
                    public void accept(VolumeId id, Event event) {
                        handle(event);
                    }

                    @Override
                    public void verified(VolumeId id, VerifyResult result) {}
                });
    }

    public static void main(String[] arguments) throws Exception {
        Path directory = Path.of(arguments[0]);
        long seconds = arguments.length > 1 ? Long.parseLong(arguments[1]) : 5;
        StoreBenchmark benchmark = new StoreBenchmark(directory, System.out);
        try {
            benchmark.create();
            benchmark.measure("warm-up", 16, 3, false);
            for (int depth : new int[] {1, 16, 64}) {
                benchmark.measure("append 4k QD" + depth, depth, seconds, false);
            }
            for (int depth : new int[] {1, 16}) {
                benchmark.measure("read 4k QD" + depth, depth, seconds, true);
            }
        } finally {
            benchmark.store.close();
            benchmark.loop.shutdown();
        }
    }

    private void create() {
        ReplicaId replica = new ReplicaId(UUID.randomUUID());
        VolumeSpec spec =
                new VolumeSpec("benchmark", VOLUME_BYTES, 1, 1, "default", PoolFullPolicy.STALL, RecoveryPolicy.ANY);
        VolumeConfig config = new VolumeConfig(
                1, 1, replica, List.of(new InSyncMember(replica, 0)), 0, VOLUME_BYTES, 0, List.of(), 0, "benchmark");
        VolumeRecord record =
                new VolumeRecord(volume, spec, List.of(new ReplicaPlacement(replica, NODE)), List.of(), false, config);
        LogRecord first = new LogRecord.ReplicaChanged(new ReplicaRecord(
                volume,
                replica,
                1,
                record,
                0,
                ReplicaStatus.IN_SYNC,
                List.of(new EpochStart(1, Lsn.ZERO)),
                new Lsn(1, 0),
                SessionId.NONE,
                List.of()));
        loop.execute(() -> store.execute(volume, new Effect.Append(++ticket, first)));
    }

    private void measure(String name, int depth, long seconds, boolean reads) throws InterruptedException {
        done = new CountDownLatch(1);
        long cpuBefore = processCpuNanos();
        long loopBefore = System.nanoTime();
        long batchesBefore = store.metrics().batches();
        long writtenBefore = store.metrics().writtenBytes();
        loop.execute(() -> {
            finished = 0;
            reading = reads;
            outstanding = depth;
            stopAt = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
            for (int i = 0; i < depth; i++) {
                next();
            }
        });
        done.await();
        double elapsed = (System.nanoTime() - loopBefore) / 1e9;
        double cpuMicros = (processCpuNanos() - cpuBefore) / 1e3 / finished;
        long batches = Math.max(1, store.metrics().batches() - batchesBefore);
        out.printf(
                "%-16s %9.0f/s  %6.1f us CPU each  %5.1f per batch  %5.2f bytes written per byte%n",
                name,
                finished / elapsed,
                cpuMicros,
                (double) finished / batches,
                (store.metrics().writtenBytes() - writtenBefore) / (double) (finished * BlockGeometry.BLOCK_BYTES));
    }

    private void next() {
        long block = random.nextLong(VOLUME_BYTES / BlockGeometry.BLOCK_BYTES);
        ByteRange range = ByteRange.ofBlocks(block, 1);
        if (reading) {
            store.execute(volume, new Effect.Read(++ticket, range));
        } else {
            Lsn lsn = new Lsn(1, ++seq);
            payload.retain();
            store.execute(
                    volume,
                    new Effect.Append(++ticket, new LogRecord.Written(lsn, Lsn.ZERO, range, RequestId.NONE, payload)));
        }
    }

    private long appended;

    private void handle(Event event) {
        switch (event) {
            case Event.Appended a -> {
                long count = a.throughTicket() - appended;
                appended = a.throughTicket();
                if (seq > 0) {
                    completed(count);
                }
            }
            case Event.ReadCompleted r -> {
                r.payload().release();
                appended = Math.max(appended, r.ticket());
                completed(1);
            }
            case Event.ReadFailed f -> throw new IllegalStateException(f.reason());
            case Event.StoreFaulted f -> {
                out.println("store faulted: " + f.reason());
                done.countDown();
            }
            default -> {}
        }
    }

    private void completed(long count) {
        for (long i = 0; i < count; i++) {
            finished++;
            if (System.nanoTime() < stopAt) {
                next();
            } else if (--outstanding == 0) {
                done.countDown();
            }
        }
    }

    private static long processCpuNanos() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }
}
