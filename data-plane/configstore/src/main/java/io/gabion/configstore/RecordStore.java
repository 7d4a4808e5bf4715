package io.gabion.configstore;

import io.gabion.model.ClusterId;
import io.gabion.protocol.control.PeerIdentity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The records, strictly serializable: one thread decides every request in the order of its queue, makes the accepted ones of a
 * batch durable with one sync, then publishes them to readers and watchers and only then answers anybody of the batch. A reader
 * sees everything that was answered before it began, and nothing that is not durable.
 */
final class RecordStore implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(RecordStore.class);

    /** More waiting requests than this mean that the disk does not keep up; callers are told at once. */
    private static final int MAX_WAITING = 4096;
    /** Bounds the answers that one failed sync leaves unknown. */
    private static final int MAX_BATCH = 256;

    private static final long CLOSE_TIMEOUT_MILLIS = 5000;

    private sealed interface Work {
        record Decide(Request request, PeerIdentity caller, CompletableFuture<Decision> answer) implements Work {}

        record Join(Watcher watcher) implements Work {}

        record Leave(Watcher watcher) implements Work {}

        record Stop() implements Work {}
    }

    private final ArrayBlockingQueue<Work> queue = new ArrayBlockingQueue<>(MAX_WAITING);
    private final SwapRules rules;
    private final BatchLog batches;
    private final StoreMetrics metrics;
    private final Runnable onBroken;
    private final Thread writer;
    private final Set<Watcher> watchers = new LinkedHashSet<>();
    private volatile Records current;

    /**
     * Reads the directory and starts the thread.
     *
     * @param onBroken called once when a sync failed: what is durable is unknown, the process has to end and read again
     */
    RecordStore(Path directory, ClusterId cluster, StoreMetrics metrics, Runnable onBroken) throws IOException {
        Records found = new Records();
        this.batches = BatchLog.open(directory, cluster, found::apply);
        this.current = found;
        this.rules = new SwapRules(cluster);
        this.metrics = metrics;
        this.onBroken = onBroken;
        metrics.published(found, batches.sizeBytes());
        this.writer = Thread.ofPlatform().name("configuration-store-writer").unstarted(this::run);
        writer.start();
    }

    /** Everything that is durable now. */
    Records read() {
        return current;
    }

    /**
     * Asks for a change. The answer completes exceptionally with {@link IOException} when the outcome is unknown or the disk
     * has no room; {@link RejectedExecutionException} is thrown when too many wait.
     */
    CompletableFuture<Decision> submit(Request request, PeerIdentity caller) {
        CompletableFuture<Decision> answer = new CompletableFuture<>();
        offer(new Work.Decide(request, caller, answer));
        return answer;
    }

    /** From now on the watcher is told of every change, after all records as they are now. */
    void join(Watcher watcher) {
        offer(new Work.Join(watcher));
    }

    void leave(Watcher watcher) {
        offer(new Work.Leave(watcher));
    }

    private void offer(Work work) {
        if (!writer.isAlive() || !queue.offer(work)) {
            throw new RejectedExecutionException(
                    "the configuration store has " + MAX_WAITING + " requests waiting or is stopping; try again later");
        }
    }

    // ---- the one thread
    private void run() {
        List<Work> batch = new ArrayList<>();
        try {
            boolean running = true;
            while (running) {
                batch.clear();
                batch.add(queue.take());
                queue.drainTo(batch, MAX_BATCH - 1);
                running = work(batch) && batch.stream().noneMatch(Work.Stop.class::isInstance);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            failWaiting();
        }
    }

    private record Answer(Work.Decide asked, Decision decision) {}

    /** Returns false when the log is broken. */
    private boolean work(List<Work> batch) {
        Records next = new Records(current);
        List<Change> changes = new ArrayList<>();
        List<Answer> answers = new ArrayList<>();
        for (Work work : batch) {
            if (work instanceof Work.Decide asked) {
                Decision decision = rules.decide(next, asked.request(), asked.caller());
                if (decision instanceof Decision.Won won) {
                    next.apply(won.change());
                    changes.add(won.change());
                }
                answers.add(new Answer(asked, decision));
            }
        }
        if (!changes.isEmpty()) {
            try {
                long start = System.nanoTime();
                batches.append(changes);
                metrics.synced(System.nanoTime() - start);
            } catch (BatchLog.NoRoomException e) {
                log.error("{}; nothing of the last {} changes was accepted", e.getMessage(), changes.size(), e);
                answers.forEach(answer -> answer.asked().answer().completeExceptionally(e));
                return true;
            } catch (IOException e) {
                breakDown(e, answers);
                return false;
            }
            current = next;
            metrics.published(next, batches.sizeBytes());
            watchers.forEach(watcher -> watcher.changed(changes));
        }
        for (Answer answer : answers) {
            metrics.answered(answer.decision());
            answer.asked().answer().complete(answer.decision());
        }
        updateWatchers(batch);
        return compactIfWanted();
    }

    private void updateWatchers(List<Work> batch) {
        for (Work work : batch) {
            if (work instanceof Work.Join join) {
                join.watcher().begin(current);
                watchers.add(join.watcher());
            } else if (work instanceof Work.Leave leave) {
                watchers.remove(leave.watcher());
            }
        }
        watchers.removeIf(Watcher::isEnded);
        metrics.watchers(watchers.size());
    }

    private boolean compactIfWanted() {
        if (!batches.wantsCompaction()) {
            return true;
        }
        long before = batches.sizeBytes();
        try {
            batches.compact(current.asChanges());
            metrics.published(current, batches.sizeBytes());
            log.info("compacted the log from {} to {} bytes", before, batches.sizeBytes());
        } catch (BatchLog.NoRoomException e) {
            log.warn("{}; the old log goes on", e.getMessage(), e);
        } catch (IOException e) {
            breakDown(e, List.of());
            return false;
        }
        return true;
    }

    private void breakDown(IOException cause, List<Answer> answers) {
        log.error("the log could not be synced: what is durable is unknown until it is read again", cause);
        answers.forEach(answer -> answer.asked().answer().completeExceptionally(cause));
        onBroken.run();
    }

    private void failWaiting() {
        List<Work> waiting = new ArrayList<>();
        queue.drainTo(waiting);
        for (Work work : waiting) {
            if (work instanceof Work.Decide asked) {
                asked.answer().completeExceptionally(new IOException("the configuration store is stopping"));
            }
        }
        watchers.forEach(Watcher::end);
    }

    @Override
    public void close() throws IOException {
        if (writer.isAlive() && !queue.offer(new Work.Stop())) {
            writer.interrupt();
        }
        try {
            writer.join(CLOSE_TIMEOUT_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        batches.close();
    }
}
