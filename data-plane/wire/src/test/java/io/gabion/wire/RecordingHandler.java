package io.gabion.wire;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.NodeMessage;
import io.gabion.core.message.PeerMessage;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/** Remembers what happened; waits with a deadline. */
class RecordingHandler implements ConnectionHandler {
    static final Duration DEADLINE = Duration.ofSeconds(20);

    final CompletableFuture<Connection> connection = new CompletableFuture<>();
    final CompletableFuture<CloseReason> end = new CompletableFuture<>();
    final BlockingQueue<Object> messages = new LinkedBlockingQueue<>();
    final AtomicInteger batches = new AtomicInteger();
    final BlockingQueue<Boolean> writability = new LinkedBlockingQueue<>();

    @Override
    public void connected(Connection opened) {
        connection.complete(opened);
    }

    @Override
    public void received(Connection from, PeerMessage message) {
        messages.add(message);
    }

    @Override
    public void received(Connection from, NodeMessage message) {
        messages.add(message);
    }

    @Override
    public void received(Connection from, ClientMessage message) {
        messages.add(message);
    }

    @Override
    public void batchComplete(Connection from) {
        batches.incrementAndGet();
    }

    @Override
    public void writabilityChanged(Connection changed) {
        writability.add(changed.isWritable());
    }

    @Override
    public void closed(Connection ended, CloseReason reason) {
        end.complete(reason);
    }

    @Override
    public void connectFailed(CloseReason reason) {
        end.complete(reason);
    }

    Connection awaitConnection() {
        return await(connection);
    }

    CloseReason awaitEnd() {
        return await(end);
    }

    Object awaitMessage() {
        try {
            Object message = messages.poll(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
            if (message == null) {
                throw new AssertionError("no message within " + DEADLINE + "; end: " + end);
            }
            return message;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    static <T> T await(CompletableFuture<T> future) {
        try {
            return future.get(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError("waited in vain", e);
        }
    }
}
