package io.gabion.store;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.gabion.store.CrashWorkload.Operation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/**
 * Crashes the store at every point of every short workload. {@code main} ends with {@code N workloads, M images, failures F};
 * images are counted once however often they are met. Option {@code --full}: all workloads also with their operations in one
 * batch. {@code --with OPERATION[,OPERATION]}: only workloads that contain these.
 */
public final class CrashEnumeration {
    private static final int LENGTH = 3;
    /** Fewer from a workload that writes data would mean that something is not enumerated. */
    private static final int LEAST_IMAGES = 20;

    private static final int SHOWN_FAILURES = 10;
    private static final int PROGRESS = 500;

    private final Path directory;
    private final TracedDisk.AtRest base;
    private final boolean stubSync;
    private final Set<Long> distinct = ConcurrentHashMap.newKeySet();
    private final List<String> failures = new ArrayList<>();
    private final AtomicInteger workloads = new AtomicInteger();

    CrashEnumeration(Path directory, boolean stubSync) throws IOException {
        // Each image tells of the tail it lost.
        ((Logger) LoggerFactory.getLogger(Recovery.class)).setLevel(Level.OFF);
        ((Logger) LoggerFactory.getLogger(DiskOpening.class)).setLevel(Level.OFF);
        ((Logger) LoggerFactory.getLogger(DiskStore.class)).setLevel(Level.OFF);
        this.directory = directory;
        this.stubSync = stubSync;
        this.base = CrashWorkload.base(Files.createDirectories(directory.resolve("base")));
    }

    /** Runs the enumeration; exit code 1 when anything failed. */
    public static void main(String[] arguments) throws Exception {
        List<String> options = List.of(arguments);
        boolean full = options.contains("--full");
        int with = options.indexOf("--with");
        List<Operation> wanted = with < 0
                ? List.of()
                : Stream.of(options.get(with + 1).split(",", -1))
                        .map(Operation::valueOf)
                        .toList();
        Path shared = Path.of("/dev/shm");
        Path directory = Files.isWritable(shared)
                ? Files.createTempDirectory(shared, "gabion-crash")
                : Files.createTempDirectory("gabion-crash");
        boolean sound;
        try {
            CrashEnumeration enumeration = new CrashEnumeration(directory, false);
            List<CrashWorkload> chosen = allWorkloads(full).stream()
                    .filter(workload -> workload.contains(wanted))
                    .toList();
            enumeration.run(chosen, Runtime.getRuntime().availableProcessors());
            System.out.println(enumeration.workloads + " workloads, " + enumeration.distinct.size()
                    + " images, failures " + enumeration.failures.size());
            sound = enumeration.failures.isEmpty();
        } finally {
            TracedDisk.delete(directory);
        }
        System.exit(sound ? 0 : 1);
    }

    static List<CrashWorkload> allWorkloads(boolean full) {
        List<CrashWorkload> all = new ArrayList<>();
        List<Operation> kinds = List.of(Operation.values());
        int count = (int) Math.pow(kinds.size(), LENGTH);
        for (int number = 0; number < count; number++) {
            List<Operation> operations = new ArrayList<>();
            for (int rest = number, i = 0; i < LENGTH; i++, rest /= kinds.size()) {
                operations.add(kinds.get(rest % kinds.size()));
            }
            all.add(new CrashWorkload(operations, false, number));
            if (full) {
                all.add(new CrashWorkload(operations, true, count + number));
            }
        }
        return all;
    }

    void run(List<CrashWorkload> all, int threads) throws Exception {
        try (ExecutorService workers = Executors.newFixedThreadPool(threads)) {
            List<Future<?>> running = new ArrayList<>();
            for (CrashWorkload workload : all) {
                running.add(workers.submit(() -> run(workload)));
            }
            for (int done = 1; done <= running.size(); done++) {
                running.get(done - 1).get();
                if (done % PROGRESS == 0) {
                    System.out.println(done + " of " + all.size() + " workloads, " + distinct.size() + " images");
                }
            }
        }
    }

    private void run(CrashWorkload workload) {
        int number = workloads.incrementAndGet();
        try {
            Path own = directory.resolve("workload-" + number);
            TracedDisk disk = new TracedDisk(Files.createDirectories(own), base);
            if (stubSync) {
                disk.stubSync();
            }
            List<TracedDisk.Step> trace = workload.run(disk);
            TracedDisk.delete(own);
            Set<Long> images = new HashSet<>();
            Set<Long> checked = new HashSet<>();
            CrashImages.enumerate(base, trace, number, image -> {
                images.add(image.hash());
                // The same image is met again when more is acknowledged; then more is asked of it.
                if (checked.add(image.hash() * 31 + image.acknowledged())) {
                    check(workload, image);
                }
            });
            distinct.addAll(images);
            if (workload.writesData() && images.size() < LEAST_IMAGES) {
                fail(workload + ": only " + images.size() + " images");
            }
        } catch (IOException | RuntimeException | AssertionError e) {
            fail(workload + ": " + e);
        }
    }

    private void check(CrashWorkload workload, CrashImages.Image image) {
        try {
            CrashCheck.check(workload, image);
        } catch (IOException | UncheckedIOException | IllegalStateException | AssertionError e) {
            fail(workload + ", cut with " + image.acknowledged() + " to " + image.submitted() + " operations done: "
                    + e);
        }
    }

    private synchronized void fail(String failure) {
        if (failures.size() < SHOWN_FAILURES) {
            System.out.println(failure);
        }
        failures.add(failure);
    }

    synchronized List<String> failures() {
        return List.copyOf(failures);
    }

    int images() {
        return distinct.size();
    }
}
