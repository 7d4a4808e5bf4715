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
import org.jspecify.annotations.Nullable;
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
    private volatile @Nullable RequestTable table;
    private volatile long token = -1;

    // Guarded by this.
    private int reading;
    private boolean stopped;

    /**
     * @param descriptor non-blocking; closed by whoever opened it
     * @param wantsResend let the kernel send again what a killed process had read, where it can
     */
    FuseConnection(Descriptor descriptor, BlockExport export, FuseReaders readers, boolean wantsResend) {
        this.descriptor = requireNonNull(descriptor, "descriptor is null");
        this.readers = requireNonNull(readers, "readers is null");
        this.replies = new FuseReplies(descriptor.number());
        this.transfers = new FuseTransfers(export, replies, this::roomAgain);
        this.volume = new FuseVolume(export, replies, transfers, wantsResend);
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

    /** What is read from now on is kept in the table until it is answered. */
    void keepRequestsIn(RequestTable requests) {
        replies.noteIn(requests);
        table = requests;
    }

    /** The connection is over, nothing needs to be known of it any more. */
    void forgetRequests() {
        RequestTable requests = table;
        if (requests != null) {
            requests.delete();
        }
    }

    /** Goes on with a connection that another process served: what that one had read comes again. */
    void resume() throws IOException {
        if (!replies.askForAllAgain()) {
            throw new IOException("the kernel cannot send again what the last process read (FUSE_NOTIFY_RESEND)");
        }
        start();
    }

    /** As {@link #resume()}, where the other process kept what it had read. */
    void resume(RequestTable requests) throws IOException {
        keepRequestsIn(requests);
        for (RequestTable.Left left : requests.left()) {
            resent.incrementAndGet();
            FuseRequest request = FuseRequest.of(left.message());
            if (left.errno().isPresent()) {
                answerAgain(request, left.errno().getAsInt());
            } else {
                handle(request);
            }
        }
        start();
    }

    /** The last process carried it out, but may not have told. */
    private void answerAgain(FuseRequest request, int errno) {
        if (errno != 0) {
            replies.failed(request.unique(), errno);
            return;
        }
        switch (request.operation()) {
            case FuseProtocol.WRITE -> replies.written(request.unique(), request.bodyInt(FuseProtocol.IO_SIZE));
            case FuseProtocol.FALLOCATE, FuseProtocol.FSYNC -> replies.done(request.unique());
            // Reading twice does no harm.
            default -> handle(request);
        }
    }

    /** Reads what there is, on a reader's thread and into its buffer, or straight into the table. */
    void readAll(MemorySegment buffer) {
        if (!enter()) {
            return;
        }
        try {
            for (int i = 0; i < REQUESTS_IN_A_ROW; i++) {
                if (!hasRoom()) {
                    return;
                }
                RequestTable requests = table;
                boolean more = requests == null ? readOne(buffer) : readOne(requests);
                if (!more) {
                    return;
                }
            }
        } finally {
            leave();
        }
        readers.announce(this, token);
    }

    /** False when there is nothing more to read. */
    private boolean readOne(MemorySegment buffer) {
        long length = SystemCalls.read(descriptor.number(), buffer);
        if (length < 0) {
            return isWorthAnotherTry((int) -length);
        }
        FuseRequest request = parse(buffer.asSlice(0, length));
        if (request != null) {
            if (request.isResent()) {
                resent.incrementAndGet();
            }
            handle(request);
        }
        return true;
    }

    private boolean readOne(RequestTable requests) {
        int slot = requests.take();
        if (slot < 0) {
            // Another reader was faster; the next turn finds out whether there is room.
            return true;
        }
        MemorySegment buffer = requests.buffer(slot);
        long length = SystemCalls.read(descriptor.number(), buffer);
        FuseRequest request = length < 0 ? null : parse(buffer.asSlice(0, length));
        if (request == null || request.isOneWay()) {
            requests.giveBack(slot);
            return length >= 0 || isWorthAnotherTry((int) -length);
        }
        requests.read(slot, request.unique());
        handle(request);
        return true;
    }

    private static @Nullable FuseRequest parse(MemorySegment message) {
        try {
            return FuseRequest.of(message);
        } catch (IllegalArgumentException e) {
            LOG.error("{}", e.getMessage());
            return null;
        }
    }

    private static boolean isWorthAnotherTry(int errno) {
        // ENOENT: the request was interrupted while it was read.
        boolean again = errno == Errno.EINTR || errno == Errno.ENOENT;
        if (!again && errno != Errno.EAGAIN && errno != Errno.ENODEV) {
            LOG.error("reading /dev/fuse: {}", Errno.text(errno));
        }
        return again;
    }

    private void handle(FuseRequest request) {
        try {
            volume.handle(request);
        } catch (RuntimeException e) {
            LOG.error("FUSE operation {} failed", request.operation(), e);
            replies.failed(request.unique(), Errno.EIO);
        }
    }

    // ---- back-pressure
    private boolean isRoom() {
        RequestTable requests = table;
        return transfers.hasRoom() && (requests == null || requests.hasFree());
    }

    private boolean hasRoom() {
        if (isRoom()) {
            return true;
        }
        paused.set(true);
        // Room may have come since; whoever takes the mark away makes sure that reading goes on.
        return isRoom() && paused.compareAndSet(true, false);
    }

    private void roomAgain() {
        if (paused.get() && isRoom() && paused.compareAndSet(true, false)) {
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
