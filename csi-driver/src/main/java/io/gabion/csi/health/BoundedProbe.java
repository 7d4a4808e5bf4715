package io.gabion.csi.health;

import io.gabion.process.Probe;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Asks somebody else whether all is well, one question at a time: a probe never waits longer than {@link #LIMIT} for an answer,
 * and probes that come meanwhile wait for the same one.
 */
public final class BoundedProbe implements Probe {
    /** Less than the kubelet waits for a probe. */
    static final Duration LIMIT = Duration.ofSeconds(2);

    private final String name;
    private final Runnable question;
    private @Nullable CompletableFuture<Optional<String>> asked;

    /**
     * @param name of who is asked, for people
     * @param question throws when something is wrong; the message says what
     */
    public BoundedProbe(String name, Runnable question) {
        this.name = name;
        this.question = question;
    }

    @Override
    public Optional<String> obstacle() {
        try {
            return ask().get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            return Optional.of(name + " does not answer within " + LIMIT.toSeconds() + " s");
        } catch (ExecutionException e) {
            return Optional.of(name + ": " + e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.of("interrupted");
        }
    }

    private synchronized CompletableFuture<Optional<String>> ask() {
        CompletableFuture<Optional<String>> current = asked;
        if (current == null || current.isDone()) {
            CompletableFuture<Optional<String>> answer = new CompletableFuture<>();
            asked = answer;
            Thread.ofVirtual().name("ready-" + name).start(() -> answer.complete(answer()));
            return answer;
        }
        return current;
    }

    private Optional<String> answer() {
        try {
            question.run();
            return Optional.empty();
        } catch (RuntimeException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }
}
