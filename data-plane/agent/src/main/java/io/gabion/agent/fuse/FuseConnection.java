package io.gabion.agent.fuse;

import static java.util.Objects.requireNonNull;

import io.gabion.agent.linux.Descriptor;
import io.gabion.agent.linux.Errno;
import io.gabion.agent.linux.SystemCalls;
import io.gabion.agent.nbd.BlockExport;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The connection of one volume to the kernel: an open {@code /dev/fuse} that readers serve until it is stopped. */
final class FuseConnection {
    private static final Logger LOG = LoggerFactory.getLogger(FuseConnection.class);
    /** After so many requests in a row the other connections get their turn. */
    private static final int REQUESTS_IN_A_ROW = 64;

    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    private final Descriptor descriptor;
    private final FuseReaders readers;
    private final FuseReplies replies;
    private final FuseTransfers transfers;
    private final FuseVolume volume;
    private final AtomicBoolean paused = new AtomicBoolean();
    private final AtomicLong resent = new AtomicLong();
    private volatile long token = -1;

    // Guarded by this.
    private int reading;
    private boolean stopped;

    /** @param descriptor non-blocking; closed by whoever opened it */
    FuseConnection(Descriptor descriptor, BlockExport export, FuseReaders readers) {
        this.descriptor = requireNonNull(descriptor, "descriptor is null");
        this.readers = requireNonNull(readers, "readers is null");
        this.replies = new FuseReplies(descriptor.number());
        this.transfers = new FuseTransfers(export, replies, this::roomAgain);
        this.volume = new FuseVolume(export, replies, transfers);
    }

    Descriptor descriptor() {
        return descriptor;
    }

    /** What the kernel and this server agreed on, after the mount. */
    CompletableFuture<Long> features() {
        return volume.features();
    }

    /** Requests that came a second time because a process before this one had read them. */
    long resent() {
        return resent.get();
    }

    /** Begins to serve a connection that will be mounted now. */
    void start() throws IOException {
        token = readers.add(this);
    }

    /** Goes on with a connection that another process served: what that one had read comes again. */
    void resume() throws IOException {
        if (!replies.askForAllAgain()) {
            throw new IOException("the kernel cannot send again what the last process read (FUSE_NOTIFY_RESEND)");
        }
        start();
    }

    /** Reads what there is, on a reader's thread and into its buffer. */
    void readAll(MemorySegment buffer) {
        if (!enter()) {
            return;
        }
        try {
            for (int i = 0; i < REQUESTS_IN_A_ROW; i++) {
                if (!hasRoom()) {
                    return;
                }
                long length = SystemCalls.read(descriptor.number(), buffer);
                if (length >= 0) {
                    handle(buffer.asSlice(0, length));
                } else if (!isWorthAnotherTry((int) -length)) {
                    return;
                }
            }
        } finally {
            leave();
        }
        readers.announce(this, token);
    }

    private static boolean isWorthAnotherTry(int errno) {
        // ENOENT: the request was interrupted while it was read.
        boolean again = errno == Errno.EINTR || errno == Errno.ENOENT;
        if (!again && errno != Errno.EAGAIN && errno != Errno.ENODEV) {
            LOG.error("reading /dev/fuse: {}", Errno.text(errno));
        }
        return again;
    }

    private void handle(MemorySegment message) {
        FuseRequest request;
        try {
            request = FuseRequest.of(message);
        } catch (IllegalArgumentException e) {
            LOG.error("{}", e.getMessage());
            return;
        }
        if (request.isResent()) {
            resent.incrementAndGet();
        }
        try {
            volume.handle(request);
        } catch (RuntimeException e) {
            LOG.error("FUSE operation {} failed", request.operation(), e);
            replies.failed(request.unique(), Errno.EIO);
        }
    }

    // ---- back-pressure
    private boolean hasRoom() {
        if (transfers.hasRoom()) {
            return true;
        }
        paused.set(true);
        // Room may have come since; whoever takes the mark away makes sure that reading goes on.
        return transfers.hasRoom() && paused.compareAndSet(true, false);
    }

    private void roomAgain() {
        if (paused.get() && transfers.hasRoom() && paused.compareAndSet(true, false)) {
            readers.announce(this, token);
        }
    }

    // ---- the end
    private synchronized boolean enter() {
        if (stopped) {
            return false;
        }
        reading++;
        return true;
    }

    private synchronized void leave() {
        reading--;
        notifyAll();
    }

    /** No request is read after this; those under way go on. */
    void stop() {
        readers.remove(this, token);
        synchronized (this) {
            stopped = true;
            boolean interrupted = false;
            while (reading > 0) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Waits until every request that was read is answered; false when it takes longer than until the deadline. */
    boolean drain(long deadlineNanos) {
        while (transfers.requestsUnderWay() > 0) {
            if (System.nanoTime() >= deadlineNanos) {
                return false;
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        return true;
    }
}
