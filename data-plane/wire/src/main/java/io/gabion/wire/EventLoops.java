package io.gabion.wire;

import io.netty.channel.Channel;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringServerDomainSocketChannel;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The event loops of a process, all with the same back end. Thread-safe. */
public final class EventLoops implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EventLoops.class);
    /** More loops than any machine has use for: bounds threads and rings. */
    public static final int MAX_LOOPS = 256;

    private static final long CLOSE_TIMEOUT_MILLIS = 5000;

    private final Backend backend;
    private final MultiThreadIoEventLoopGroup group;
    private final List<WireLoop> loops;
    private final AtomicInteger next = new AtomicInteger();

    private EventLoops(Backend backend, MultiThreadIoEventLoopGroup group) {
        this.backend = backend;
        this.group = group;
        List<WireLoop> found = new ArrayList<>();
        for (EventExecutor executor : group) {
            found.add(new WireLoop(found.size(), (IoEventLoop) executor));
        }
        this.loops = List.copyOf(found);
    }

    /**
     * Starts {@code size} loops.
     *
     * @param threadName prefix of the threads' names
     * @throws IllegalStateException when the wanted back end is not available here; the message says why
     */
    public static EventLoops start(Backend.Choice wanted, int size, String threadName) {
        if (size < 1 || size > MAX_LOOPS) {
            throw new IllegalArgumentException("event loops must be 1 to " + MAX_LOOPS + ", not " + size);
        }
        Backend backend = choose(wanted);
        IoHandlerFactory factory =
                switch (backend) {
                    case IO_URING -> IoUringIoHandler.newFactory();
                    case EPOLL -> EpollIoHandler.newFactory();
                    case NIO -> NioIoHandler.newFactory();
                };
        EventLoops started = new EventLoops(
                backend, new MultiThreadIoEventLoopGroup(size, new DefaultThreadFactory(threadName, true), factory));
        LOG.info("{} event loops on {} (asked for {})", size, backend.text(), wanted);
        return started;
    }

    private static Backend choose(Backend.Choice wanted) {
        return switch (wanted) {
            case NIO -> Backend.NIO;
            case EPOLL -> required(Backend.EPOLL, Epoll.isAvailable() ? null : Epoll.unavailabilityCause());
            case IO_URING -> required(Backend.IO_URING, IoUring.isAvailable() ? null : IoUring.unavailabilityCause());
            case AUTO -> best();
        };
    }

    private static Backend required(Backend backend, @Nullable Throwable obstacle) {
        if (obstacle != null) {
            throw new IllegalStateException(
                    "I/O back end " + backend.text() + " is not available: " + rootMessage(obstacle) + "; use auto",
                    obstacle);
        }
        return backend;
    }

    private static Backend best() {
        if (IoUring.isAvailable()) {
            return Backend.IO_URING;
        }
        LOG.info("io_uring is not available: {}", rootMessage(IoUring.unavailabilityCause()));
        if (Epoll.isAvailable()) {
            return Backend.EPOLL;
        }
        LOG.info("epoll is not available: {}", rootMessage(Epoll.unavailabilityCause()));
        return Backend.NIO;
    }

    private static String rootMessage(@Nullable Throwable cause) {
        Throwable root = cause;
        while (root != null && root.getCause() != null) {
            root = root.getCause();
        }
        return root == null ? "unknown cause" : String.valueOf(root.getMessage());
    }

    /** What was chosen; for logs and a metric. */
    public Backend backend() {
        return backend;
    }

    public int size() {
        return loops.size();
    }

    public WireLoop loop(int index) {
        return loops.get(index);
    }

    public List<WireLoop> all() {
        return loops;
    }

    /** The loops in turn. */
    public WireLoop next() {
        return loops.get(Math.floorMod(next.getAndIncrement(), loops.size()));
    }

    /** The loop of the calling thread; throws when it is none of these. */
    public WireLoop current() {
        for (WireLoop loop : loops) {
            if (loop.inLoop()) {
                return loop;
            }
        }
        throw new IllegalStateException(
                "not on an event loop: " + Thread.currentThread().getName());
    }

    WireLoop of(Channel channel) {
        for (WireLoop loop : loops) {
            if (loop.netty() == channel.eventLoop()) {
                return loop;
            }
        }
        throw new IllegalStateException("channel of another group");
    }

    /** Netty's view, for servers of one's own (NBD) on the same loops. */
    public MultiThreadIoEventLoopGroup netty() {
        return group;
    }

    /** Class of TCP client channels of this back end. */
    public Class<? extends Channel> socketClass() {
        return switch (backend) {
            case IO_URING -> IoUringSocketChannel.class;
            case EPOLL -> EpollSocketChannel.class;
            case NIO -> NioSocketChannel.class;
        };
    }

    /** Class of TCP server channels of this back end. */
    public Class<? extends ServerChannel> serverSocketClass() {
        return switch (backend) {
            case IO_URING -> IoUringServerSocketChannel.class;
            case EPOLL -> EpollServerSocketChannel.class;
            case NIO -> NioServerSocketChannel.class;
        };
    }

    /** Class of Unix domain server channels of this back end. */
    public Class<? extends ServerChannel> serverDomainSocketClass() {
        return switch (backend) {
            case IO_URING -> IoUringServerDomainSocketChannel.class;
            case EPOLL -> EpollServerDomainSocketChannel.class;
            case NIO -> NioServerDomainSocketChannel.class;
        };
    }

    /** Ends all loops; connections that stand are closed without a word. */
    @Override
    public void close() {
        group.shutdownGracefully(0, CLOSE_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)
                .awaitUninterruptibly(CLOSE_TIMEOUT_MILLIS);
    }
}
