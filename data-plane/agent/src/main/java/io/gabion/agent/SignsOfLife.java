package io.gabion.agent;

import static java.util.Objects.requireNonNull;

import io.gabion.agent.fuse.DescriptorKeeper;
import io.gabion.api.time.Pause;
import io.gabion.wire.EventLoops;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells the keeper again and again that every event loop of this process turns; says nothing while one is stuck. */
final class SignsOfLife implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SignsOfLife.class);
    /** Many times in the silence that a supervisor bears. */
    private static final Duration EVERY = Duration.ofSeconds(5);

    private static final long TURN_SECONDS = 10;

    private final DescriptorKeeper keeper;
    private final EventLoops loops;
    private final Thread thread;

    private SignsOfLife(DescriptorKeeper keeper, EventLoops loops) {
        this.keeper = requireNonNull(keeper, "keeper is null");
        this.loops = requireNonNull(loops, "loops is null");
        this.thread = Thread.ofPlatform().daemon().name("signs-of-life").unstarted(this::run);
    }

    static SignsOfLife start(DescriptorKeeper keeper, EventLoops loops) {
        SignsOfLife made = new SignsOfLife(keeper, loops);
        made.thread.start();
        return made;
    }

    private void run() {
        try {
            while (true) {
                give();
                Pause.REAL.last(EVERY);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void give() throws InterruptedException {
        CompletableFuture<?>[] turns = loops.all().stream()
                .map(loop -> CompletableFuture.runAsync(() -> {}, loop))
                .toArray(CompletableFuture<?>[]::new);
        try {
            CompletableFuture.allOf(turns).get(TURN_SECONDS, TimeUnit.SECONDS);
            keeper.alive();
        } catch (TimeoutException e) {
            LOG.error("an event loop does not turn");
        } catch (ExecutionException e) {
            LOG.error("an event loop takes no work", e);
        } catch (IOException e) {
            LOG.error("the supervisor does not hear: {}", e.getMessage());
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
