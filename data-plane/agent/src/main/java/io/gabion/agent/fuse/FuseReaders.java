package io.gabion.agent.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.util.Objects.requireNonNull;

import io.gabion.agent.linux.Descriptor;
import io.gabion.agent.linux.Errno;
import io.gabion.agent.linux.SystemCalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A few threads that read the requests of all connections. A connection is announced when something arrives (edge-triggered);
 * it is then read until it is empty, if more arrives meanwhile by several threads.
 */
final class FuseReaders implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FuseReaders.class);
    /** The longest write with all headers; the kernel wants that much room at every read. */
    static final int BUFFER_BYTES = FuseVolume.MAX_IO_BYTES + 4096;

    private static final boolean PACKED_EVENTS =
            requireNonNull(System.getProperty("os.arch")).equals("amd64");
    private static final int DATA_AT = PACKED_EVENTS ? 4 : 8;
    private static final int EVENT_BYTES = PACKED_EVENTS ? 12 : 16;
    /** Few at a time, so that the rest stays for the other threads. */
    private static final int EVENTS_AT_A_TIME = 4;

    private static final long STOP_TOKEN = 0;
    private static final long JOIN_MILLIS = 2_000;

    private final Descriptor epoll;
    private final Descriptor stopSignal;
    private final AtomicLong nextToken = new AtomicLong(STOP_TOKEN + 1);
    private final Map<Long, FuseConnection> connections = new ConcurrentHashMap<>();
    private final List<Thread> threads = new ArrayList<>();

    FuseReaders(int size) throws IOException {
        epoll = new Descriptor(Errno.check(SystemCalls.epollCreate(), "epoll_create1"));
        stopSignal = new Descriptor(Errno.check(SystemCalls.eventDescriptor(), "eventfd"));
        // Level-triggered: it reaches every thread.
        control(SystemCalls.EPOLL_CTL_ADD, stopSignal, SystemCalls.EPOLLIN, STOP_TOKEN);
        for (int i = 0; i < size; i++) {
            threads.add(Thread.ofPlatform().daemon().name("fuse-" + i).start(this::run));
        }
    }

    /** Begins to read; returns the token of the connection. */
    long add(FuseConnection connection) throws IOException {
        long token = nextToken.getAndIncrement();
        connections.put(token, connection);
        control(SystemCalls.EPOLL_CTL_ADD, connection.descriptor(), SystemCalls.EPOLLIN | SystemCalls.EPOLLET, token);
        return token;
    }

    /** Announces the connection again if there is something to read. */
    void announce(FuseConnection connection, long token) {
        try {
            control(
                    SystemCalls.EPOLL_CTL_MOD,
                    connection.descriptor(),
                    SystemCalls.EPOLLIN | SystemCalls.EPOLLET,
                    token);
        } catch (IOException e) {
            LOG.debug("a connection ended meanwhile: {}", e.getMessage());
        }
    }

    void remove(FuseConnection connection, long token) {
        if (connections.remove(token) != null) {
            try {
                control(SystemCalls.EPOLL_CTL_DEL, connection.descriptor(), 0, token);
            } catch (IOException e) {
                LOG.debug("a connection ended before: {}", e.getMessage());
            }
        }
    }

    private void control(int operation, Descriptor descriptor, int events, long token) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment event = arena.allocate(EVENT_BYTES);
            event.set(JAVA_INT_UNALIGNED, 0, events);
            event.set(JAVA_LONG_UNALIGNED, DATA_AT, token);
            Errno.check(SystemCalls.epollControl(epoll.number(), operation, descriptor.number(), event), "epoll_ctl");
        }
    }

    private void run() {
        try (Arena arena = Arena.ofConfined()) {
            // One buffer for the life of the thread, and all of it touched: a request that is being read by a process
            // that is
            // just killed gets lost if the kernel has to find memory for it.
            MemorySegment buffer = arena.allocate(BUFFER_BYTES, Long.BYTES).fill((byte) 0);
            MemorySegment events = arena.allocate((long) EVENTS_AT_A_TIME * EVENT_BYTES);
            while (true) {
                int count = SystemCalls.epollWait(epoll.number(), events, EVENTS_AT_A_TIME);
                if (count < 0 && count != -Errno.EINTR) {
                    LOG.error("FUSE readers end: epoll_wait: {}", Errno.text(-count));
                    return;
                }
                for (int i = 0; i < count; i++) {
                    long token = events.get(JAVA_LONG_UNALIGNED, (long) i * EVENT_BYTES + DATA_AT);
                    if (token == STOP_TOKEN) {
                        return;
                    }
                    FuseConnection connection = connections.get(token);
                    if (connection != null) {
                        connection.readAll(buffer);
                    }
                }
            }
        }
    }

    /** Ends the threads; connections must have been stopped before. */
    @Override
    public void close() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment one = arena.allocate(Long.BYTES, Long.BYTES);
            one.set(JAVA_LONG_UNALIGNED, 0, 1);
            var _ = SystemCalls.write(stopSignal.number(), one, Long.BYTES);
        }
        boolean all = true;
        for (Thread thread : threads) {
            try {
                all &= thread.join(Duration.ofMillis(JOIN_MILLIS));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                all = false;
            }
        }
        if (all) {
            epoll.close();
            stopSignal.close();
        } else {
            LOG.warn("a FUSE reader did not end within {} ms", JOIN_MILLIS);
        }
    }
}
