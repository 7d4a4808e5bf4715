package io.gabion.store;

import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.RequestId;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;

/**
 * How long a disk takes to open: with 1,000 volumes after a shutdown in good order, and after its process was killed in 1 GiB of
 * random writes. {@code OpeningBenchmark DIRECTORY}, empty. The process that is killed is another one. Exit code 1 when one of the two
 * takes too long, or memory or idle CPU are above their bounds.
 */
public final class OpeningBenchmark {
    private static final int VOLUMES = 1000;
    private static final int BLOCKS_EACH = 256;
    private static final long CAPACITY_BYTES = 6L << 30;
    private static final long RANDOM_BYTES = 1L << 30;
    private static final double MANY_SECONDS = 10;
    private static final double KILLED_SECONDS = 5;
    private static final long RSS_MIB = 1331;
    private static final double IDLE_CPU = 0.01;
    private static final long IDLE_NANOS = 10_000_000_000L;
    private static final String WRITE = "--write";
    private static final String KILL = "--kill";
    private static final int KILLED = 137;

    private final ExecutorService loop = Executors.newSingleThreadExecutor();
    private final Semaphore free = new Semaphore(64);
    private final HeapPayload payload;
    private final DiskStore store;
    private long ticket;
    /** Tickets of what is on its way. */
    private final Map<VolumeId, Deque<Long>> open = new HashMap<>();

    private OpeningBenchmark(Path directory) throws IOException {
        byte[] content = new byte[BlockGeometry.BLOCK_BYTES];
        new Random(1).nextBytes(content);
        payload = HeapPayload.of(content);
        DiskStoreOptions options =
                DiskStoreOptions.of(directory, CAPACITY_BYTES, StoreRig.CLUSTER, StoreRig.NODE, StoreRig.BOOT);
        store = DiskStore.open(options, loop, new StoreEvents() {
            @Override
            public void accept(VolumeId volume, Event event) {
                if (event instanceof Event.Appended appended) {
                    Deque<Long> tickets = open.getOrDefault(volume, new ArrayDeque<>());
                    while (!tickets.isEmpty() && tickets.element() <= appended.throughTicket()) {
                        tickets.remove();
                        free.release();
                    }
                }
            }

            @Override
            public void verified(VolumeId volume, VerifyResult result) {}
        });
    }

    /** Runs it. */
    public static void main(String[] arguments) throws Exception {
        Path directory = Path.of(arguments[0]);
        switch (arguments.length > 1 ? arguments[1] : "") {
            case WRITE -> writeMany(directory);
            case KILL -> writeAndDie(directory);
            default -> measure(directory);
        }
    }

    private static void measure(Path directory) throws Exception {
        Path many = Files.createDirectory(directory.resolve("many"));
        run(many, WRITE, 0);
        boolean good = opens(many, VOLUMES + " volumes", MANY_SECONDS);
        Path killed = Files.createDirectory(directory.resolve("killed"));
        run(killed, KILL, KILLED);
        good &= opens(killed, "killed in random writes", KILLED_SECONDS);
        System.out.println(good ? "opening: good" : "opening: BAD");
        System.exit(good ? 0 : 1);
    }

    private static void run(Path directory, String mode, int code) throws Exception {
        String java = ProcessHandle.current().info().command().orElse("java");
        int found = new ProcessBuilder(
                        java,
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xmx512m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        OpeningBenchmark.class.getName(),
                        directory.toString(),
                        mode)
                .redirectErrorStream(true)
                .redirectOutput(directory
                        .resolveSibling(directory.getFileName() + ".log")
                        .toFile())
                .start()
                .waitFor();
        if (found != code) {
            throw new IOException("the writer ended with " + found + ", see " + directory + ".log");
        }
    }

    private static boolean opens(Path directory, String what, double bound) throws IOException {
        long started = System.nanoTime();
        OpeningBenchmark opened = new OpeningBenchmark(directory);
        double seconds = (System.nanoTime() - started) / 1e9;
        long cpu = processCpuNanos();
        long from = System.nanoTime();
        while (System.nanoTime() - from < IDLE_NANOS) {
            LockSupport.parkNanos(IDLE_NANOS / 10);
        }
        double idle = (processCpuNanos() - cpu) / (double) (System.nanoTime() - from);
        long rss = rssMib();
        boolean good = seconds <= bound && rss <= RSS_MIB && idle <= IDLE_CPU;
        System.out.printf(
                "%s %-24s ready in %5.2f s (bound %4.1f), %d replicas, RSS %d MiB (bound %d), idle CPU %.2f %% of a core%n",
                good ? "ok: " : "BAD:",
                what,
                seconds,
                bound,
                opened.store.replicas().size(),
                rss,
                RSS_MIB,
                idle * 100);
        opened.end();
        return good;
    }

    private void end() throws IOException {
        store.close();
        loop.shutdown();
    }

    private static VolumeId volume(int number) {
        return new VolumeId(new UUID(6, number));
    }

    /** 1 MiB in each of many volumes, closed. */
    private static void writeMany(Path directory) throws Exception {
        OpeningBenchmark disk = new OpeningBenchmark(directory);
        for (int number = 1; number <= VOLUMES; number++) {
            disk.append(volume(number), StoreRig.created(volume(number), 1L << 30));
        }
        long seq = 0;
        Random random = new Random(2);
        for (int i = 0; i < BLOCKS_EACH; i++) {
            seq++;
            for (int number = 1; number <= VOLUMES; number++) {
                disk.write(volume(number), seq, random.nextInt(1 << 18));
            }
        }
        disk.drain();
        disk.end();
        System.exit(0);
    }

    private static void writeAndDie(Path directory) throws Exception {
        OpeningBenchmark disk = new OpeningBenchmark(directory);
        disk.append(volume(1), StoreRig.created(volume(1), RANDOM_BYTES));
        Random random = new Random(3);
        int blocks = (int) (RANDOM_BYTES / BlockGeometry.BLOCK_BYTES);
        for (int i = 1; i <= blocks; i++) {
            disk.write(volume(1), i, random.nextInt(blocks));
        }
        // As kill -9: nothing runs any more.
        Runtime.getRuntime().halt(KILLED);
    }

    private void write(VolumeId volume, long seq, long block) throws InterruptedException {
        payload.retain();
        append(
                volume,
                new LogRecord.Written(
                        new Lsn(1, seq), Lsn.ZERO, ByteRange.ofBlocks(block, 1), RequestId.NONE, payload));
    }

    private void append(VolumeId volume, LogRecord record) throws InterruptedException {
        free.acquire();
        loop.execute(() -> {
            open.computeIfAbsent(volume, v -> new ArrayDeque<>()).add(++ticket);
            store.execute(volume, new Effect.Append(ticket, record));
        });
    }

    private void drain() throws InterruptedException {
        free.acquire(64);
        free.release(64);
    }

    private static long processCpuNanos() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    private static long rssMib() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", "")) >> 10;
            }
        }
        return 0;
    }
}
