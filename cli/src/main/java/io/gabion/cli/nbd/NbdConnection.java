package io.gabion.cli.nbd;

import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Whole messages over a blocking Unix socket. A server that sends nothing for {@link #SILENCE_SECONDS} is given up. */
final class NbdConnection implements AutoCloseable {
    /** Longer than any failover and than the pause of a node that comes back from power loss. */
    static final long SILENCE_SECONDS = 120;

    private static final long WATCH_INTERVAL_MILLIS = 1000;

    private final SocketChannel channel;
    private final Path socket;
    private volatile long waitingSinceNanos;
    private volatile boolean waiting;
    private volatile boolean silent;

    private NbdConnection(SocketChannel channel, Path socket) {
        this.channel = channel;
        this.socket = socket;
    }

    static NbdConnection open(Path socket) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException e) {
            channel.close();
            throw e;
        }
        NbdConnection connection = new NbdConnection(channel, socket);
        Thread.ofVirtual().name("nbd-watchdog").start(connection::watch);
        return connection;
    }

    private void watch() {
        try {
            while (channel.isOpen()) {
                Thread.sleep(WATCH_INTERVAL_MILLIS);
                if (waiting && System.nanoTime() - waitingSinceNanos > TimeUnit.SECONDS.toNanos(SILENCE_SECONDS)) {
                    silent = true;
                    channel.close();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            // Closed is what it should be.
            return;
        }
    }

    /** A new buffer with exactly this many bytes. */
    ByteBuffer receive(int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length);
        receive(buffer);
        return buffer.flip();
    }

    /** Fills the buffer up to its limit. */
    void receive(ByteBuffer buffer) throws IOException {
        begin();
        try {
            while (buffer.hasRemaining()) {
                if (channel.read(buffer) < 0) {
                    throw new EOFException("the server at " + socket + " closed the connection");
                }
                waitingSinceNanos = System.nanoTime();
            }
        } catch (ClosedChannelException e) {
            throw closed(e);
        } finally {
            waiting = false;
        }
    }

    void send(ByteBuffer buffer) throws IOException {
        begin();
        try {
            while (buffer.hasRemaining()) {
                channel.write(buffer);
                waitingSinceNanos = System.nanoTime();
            }
        } catch (ClosedChannelException e) {
            throw closed(e);
        } finally {
            waiting = false;
        }
    }

    private void begin() {
        waitingSinceNanos = System.nanoTime();
        waiting = true;
    }

    private IOException closed(ClosedChannelException cause) {
        boolean gaveUp = silent || cause instanceof AsynchronousCloseException;
        return new IOException(
                gaveUp
                        ? "the server at " + socket + " sent and took nothing for " + SILENCE_SECONDS + " s"
                        : "the connection to " + socket + " is closed",
                cause);
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // Nothing depends on it.
            return;
        }
    }
}
