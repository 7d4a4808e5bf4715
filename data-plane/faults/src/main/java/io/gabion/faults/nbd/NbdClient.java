package io.gabion.faults.nbd;

import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A block client over a Unix socket: fixed newstyle negotiation, NBD_OPT_GO, simple replies, any number of requests in
 * flight. It waits as long as the server does; only an error answer or the end of the connection ends a request.
 *
 * <p>Thread safe. Answers are delivered on the client's reading thread: what is chained to them must not wait.
 */
public final class NbdClient implements AutoCloseable {
    private static final long MAGIC = 0x4e42444d41474943L;
    private static final long OPTION_MAGIC = 0x49484156454F5054L;
    private static final long OPTION_REPLY_MAGIC = 0x3e889045565a9L;
    private static final int REQUEST_MAGIC = 0x25609513;
    private static final int SIMPLE_REPLY_MAGIC = 0x67446698;
    private static final int CLIENT_FLAGS = 3;
    private static final int OPTION_GO = 7;
    private static final int REPLY_ACKNOWLEDGE = 1;
    private static final int REPLY_INFORMATION = 3;
    private static final int REPLY_ERROR_BIT = 0x8000_0000;
    private static final int INFORMATION_EXPORT = 0;
    private static final int REQUEST_BYTES = 28;
    private static final int SIMPLE_REPLY_BYTES = 16;
    private static final int FLAG_FUA = 1;
    /** No server has a reason to send more text than this while negotiating. */
    private static final int MAX_OPTION_REPLY_BYTES = 64 << 10;

    private enum Command {
        READ(0),
        WRITE(1),
        DISCONNECT(2),
        FLUSH(3),
        TRIM(4),
        WRITE_ZEROES(6);

        private final short code;

        Command(int code) {
            this.code = (short) code;
        }
    }

    private record Waiting(CompletableFuture<NbdReply> answer, int readBytes) {}

    private static final ByteBuffer EMPTY = ByteBuffer.allocate(0);

    private final SocketChannel channel;
    private final long sizeBytes;
    private final Map<Long, Waiting> waiting = new ConcurrentHashMap<>();
    private final AtomicLong cookies = new AtomicLong();
    private final Object writing = new Object();
    private final Thread reader;
    private volatile String ended = "";

    private NbdClient(SocketChannel channel, long sizeBytes, String name) {
        this.channel = channel;
        this.sizeBytes = sizeBytes;
        this.reader = new Thread(this::readReplies, "nbd-" + name);
        this.reader.setDaemon(true);
    }

    /** Connects and opens the export; {@link IOException} says what the server refused. */
    public static NbdClient connect(NbdAddress address) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(address.socket()));
            NbdClient client = new NbdClient(channel, negotiate(channel, address.export()), address.export());
            client.reader.start();
            return client;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static long negotiate(SocketChannel channel, String export) throws IOException {
        ByteBuffer greeting = receive(channel, 18);
        if (greeting.getLong() != MAGIC || greeting.getLong() != OPTION_MAGIC) {
            throw new IOException("the server's greeting is not NBD");
        }
        byte[] name = export.getBytes(StandardCharsets.UTF_8);
        send(
                channel,
                ByteBuffer.allocate(4 + 16 + 4 + name.length + 2)
                        .putInt(CLIENT_FLAGS)
                        .putLong(OPTION_MAGIC)
                        .putInt(OPTION_GO)
                        .putInt(4 + name.length + 2)
                        .putInt(name.length)
                        .put(name)
                        .putShort((short) 0)
                        .flip());
        long size = -1;
        while (true) {
            ByteBuffer header = receive(channel, 20);
            if (header.getLong() != OPTION_REPLY_MAGIC) {
                throw new IOException("the server's option reply is not NBD");
            }
            header.getInt();
            int type = header.getInt();
            int length = header.getInt();
            if (length < 0 || length > MAX_OPTION_REPLY_BYTES) {
                throw new IOException("the server's option reply has length " + length);
            }
            ByteBuffer body = receive(channel, length);
            if ((type & REPLY_ERROR_BIT) != 0) {
                throw new IOException("the server refuses export \"" + export + "\": error " + (type & 0xffff) + " "
                        + StandardCharsets.UTF_8.decode(body));
            }
            if (type == REPLY_INFORMATION && body.getShort() == INFORMATION_EXPORT) {
                size = body.getLong();
            }
            if (type == REPLY_ACKNOWLEDGE) {
                return size;
            }
        }
    }

    public long sizeBytes() {
        return sizeBytes;
    }

    /** Empty while the connection stands, else why it ended. */
    public String ended() {
        return ended;
    }

    /** Requests that have no answer yet. */
    public int outstanding() {
        return waiting.size();
    }

    public CompletableFuture<NbdReply> read(long offset, int lengthBytes) {
        return submit(Command.READ, 0, offset, lengthBytes, EMPTY);
    }

    /** Writes what is between position and limit; the buffer must not be changed before the answer. */
    public CompletableFuture<NbdReply> write(long offset, ByteBuffer data, boolean forceUnitAccess) {
        return submit(Command.WRITE, forceUnitAccess ? FLAG_FUA : 0, offset, data.remaining(), data.duplicate());
    }

    public CompletableFuture<NbdReply> flush() {
        return submit(Command.FLUSH, 0, 0, 0, EMPTY);
    }

    public CompletableFuture<NbdReply> trim(long offset, int lengthBytes) {
        return submit(Command.TRIM, 0, offset, lengthBytes, EMPTY);
    }

    public CompletableFuture<NbdReply> writeZeroes(long offset, int lengthBytes) {
        return submit(Command.WRITE_ZEROES, 0, offset, lengthBytes, EMPTY);
    }

    private CompletableFuture<NbdReply> submit(
            Command command, int flags, long offset, int lengthBytes, ByteBuffer payload) {
        long cookie = cookies.incrementAndGet();
        CompletableFuture<NbdReply> answer = new CompletableFuture<>();
        waiting.put(cookie, new Waiting(answer, command == Command.READ ? lengthBytes : 0));
        try {
            request(command, flags, cookie, offset, lengthBytes, payload);
        } catch (IOException e) {
            end("sending failed: " + e);
        }
        if (!ended.isEmpty()) {
            end(ended);
        }
        return answer;
    }

    private void request(Command command, int flags, long cookie, long offset, int lengthBytes, ByteBuffer payload)
            throws IOException {
        ByteBuffer header = ByteBuffer.allocate(REQUEST_BYTES)
                .putInt(REQUEST_MAGIC)
                .putShort((short) flags)
                .putShort(command.code)
                .putLong(cookie)
                .putLong(offset)
                .putInt(lengthBytes)
                .flip();
        synchronized (writing) {
            send(channel, header, payload);
        }
    }

    private void readReplies() {
        try {
            while (true) {
                ByteBuffer reply = receive(channel, SIMPLE_REPLY_BYTES);
                if (reply.getInt() != SIMPLE_REPLY_MAGIC) {
                    throw new IOException("a reply does not begin with the magic of a simple reply");
                }
                int errno = reply.getInt();
                long cookie = reply.getLong();
                Waiting request = waiting.remove(cookie);
                if (request == null) {
                    throw new IOException("a reply to a request that is not outstanding: " + cookie);
                }
                request.answer.complete(
                        errno == 0
                                ? new NbdReply.Done(receive(channel, request.readBytes))
                                : new NbdReply.Failed(errno));
            }
        } catch (IOException e) {
            end(e.toString());
        }
    }

    private void end(String reason) {
        ended = reason;
        for (Long cookie : List.copyOf(waiting.keySet())) {
            Waiting request = waiting.remove(cookie);
            if (request != null) {
                request.answer.complete(new NbdReply.Disconnected(reason));
            }
        }
    }

    private static void send(SocketChannel channel, ByteBuffer... buffers) throws IOException {
        while (buffers[buffers.length - 1].hasRemaining() || buffers[0].hasRemaining()) {
            channel.write(buffers);
        }
    }

    private static ByteBuffer receive(SocketChannel channel, int lengthBytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(lengthBytes);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                throw new EOFException("the server closed the connection");
            }
        }
        return buffer.flip();
    }

    /** Says goodbye and closes. Requests that have no answer yet end as disconnected. */
    @Override
    public void close() {
        try {
            if (ended.isEmpty()) {
                request(Command.DISCONNECT, 0, cookies.incrementAndGet(), 0, 0, EMPTY);
            }
        } catch (IOException e) {
            end("the goodbye was not taken: " + e);
        }
        try {
            channel.close();
        } catch (IOException e) {
            end(e.toString());
        }
        end("closed");
    }
}
