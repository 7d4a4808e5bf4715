package io.gabion.e2e;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Deletes the leading pod of the operator again and again until it is closed; volumes in use must not notice. */
public final class DeletedLeaders implements AutoCloseable {
    private static final Duration BETWEEN = Duration.ofSeconds(60);
    private static final Duration RECOVERS = Duration.ofMinutes(2);
    private static final String OPERATOR = "gabion-operator";

    private final Kubectl kubectl;
    private final CountDownLatch end = new CountDownLatch(1);
    private final AtomicInteger deleted = new AtomicInteger();
    private final Thread thread;

    private DeletedLeaders(Kubectl kubectl) {
        this.kubectl = kubectl;
        this.thread = Thread.ofVirtual().name("deleted-leaders").unstarted(this::run);
    }

    /** Deletes the first one now and another every 60 seconds. */
    public static DeletedLeaders start(Cluster cluster) {
        DeletedLeaders leaders = new DeletedLeaders(cluster.kubectl());
        leaders.thread.start();
        return leaders;
    }

    /** How many it deleted so far. */
    public int count() {
        return deleted.get();
    }

    private void run() {
        try {
            do {
                delete();
            } while (!end.await(BETWEEN.toSeconds(), TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void delete() {
        try {
            String leader = kubectl.field(".spec.holderIdentity", "-n", Cluster.GABION_NAMESPACE, "lease", OPERATOR);
            // Between two leaders there is none, and the name in the Lease may be that of one that is gone.
            if (!leader.isEmpty()
                    && kubectl.attempt("delete", "pod", leader, "-n", Cluster.GABION_NAMESPACE, "--wait=false")
                            .succeeded()) {
                deleted.incrementAndGet();
            }
        } catch (AssertionError e) {
            System.out.println("[gabion] this leader of the operator lives on: " + e.getMessage());
        }
    }

    /** Ends it and waits until the operator has all its pods again. */
    @Override
    public void close() {
        end.countDown();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        System.out.println("[gabion] the operator's leader was deleted " + deleted + " times");
        Waiting.untilEqual(
                "unavailable pods of the operator",
                RECOVERS,
                "",
                () -> kubectl.field(
                        ".status.unavailableReplicas", "-n", Cluster.GABION_NAMESPACE, "deployment", OPERATOR));
    }
}
