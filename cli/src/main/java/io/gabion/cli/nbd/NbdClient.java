package io.gabion.cli.nbd;

import io.gabion.cli.text.CommandFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A small NBD client over a Unix socket: fixed newstyle, OPT_GO, structured replies, base:allocation, simple and structured
 * answers. Several requests may be under way; answers are handed to a receiver in the order in which they come. One thread.
 */
public final class NbdClient implements AutoCloseable {
    /** Of one read or write. */
    public static final int REQUEST_BYTES = 512 * 1024;
    /** Requests under way; keeps both ends busy without more than 4 MiB in buffers. */
    public static final int WINDOW = 8;

    private static final int REQUEST_MAGIC = 0x25609513;
    private static final int SIMPLE_REPLY_MAGIC = 0x67446698;
    private static final int STRUCTURED_REPLY_MAGIC = 0x668e33ef;
    private static final int CMD_READ = 0;
    private static final int CMD_WRITE = 1;
    private static final int CMD_DISC = 2;
    private static final int CMD_FLUSH = 3;
    private static final int CMD_WRITE_ZEROES = 6;
    private static final int CMD_BLOCK_STATUS = 7;
    private static final int CMD_FLAG_DF_NONE = 0;
    private static final int CHUNK_DONE = 1;
    private static final int CHUNK_NONE = 0;
    private static final int CHUNK_OFFSET_DATA = 1;
    private static final int CHUNK_OFFSET_HOLE = 2;
    private static final int CHUNK_BLOCK_STATUS = 5;
    private static final int CHUNK_ERROR_BIT = 0x8000;
    private static final int STATE_HOLE = 1;
    private static final int STATE_ZERO = 2;
    /** Longest option reply or chunk beside data that a sane server sends. */
    private static final int MAX_CONTROL_BYTES = 1 << 20;

    /** Takes the answers to reads. */
    public interface ReadReceiver {
        /** @param bytes valid during the call only */
        void data(long offset, ByteBuffer bytes) throws IOException;
    }

    /** @param hole reads as zeros and occupies nothing */
    public record Extent(long offset, long length, boolean hole) {}

    private record Pending(int command, long offset, int length) {}

    private final NbdConnection connection;
    private final NbdHandshake.Agreed agreed;
    private final Map<Long, Pending> pending = new HashMap<>();
    private final ByteBuffer header = ByteBuffer.allocate(32);
    private final ByteBuffer payload = ByteBuffer.allocateDirect(REQUEST_BYTES + 8);
    private long lastHandle;

    private NbdClient(NbdConnection connection, NbdHandshake.Agreed agreed) {
        this.connection = connection;
        this.agreed = agreed;
    }

    /** Connects and opens the export. Throws {@link CommandFailure} that names socket and export. */
    public static NbdClient open(Path socket, String export) {
        NbdConnection connection = null;
        try {
            connection = NbdConnection.open(socket);
            return new NbdClient(connection, new NbdHandshake(connection).negotiate(export));
        } catch (IOException e) {
            if (connection != null) {
                connection.close();
            }
            throw new CommandFailure("NBD socket " + socket + ", export \"" + export + "\": " + e.getMessage(), e);
        }
    }

    public long sizeBytes() {
        return agreed.sizeBytes();
    }

    // ---- transmission
    /** Reads whole extents; the receiver gets the data in pieces, holes are left out. */
    public void read(List<Extent> extents, ReadReceiver receiver) throws IOException {
        for (Extent extent : extents) {
            long at = extent.offset();
            long end = extent.offset() + extent.length();
            while (at < end) {
                int length = (int) Math.min(REQUEST_BYTES, end - at);
                while (pending.size() >= WINDOW) {
                    receiveReply(receiver, new ArrayList<>());
                }
                request(CMD_READ, at, length);
                at += length;
            }
        }
        drain(receiver);
    }

    /** Sends one write; returns at once while the window is open. Zeros become holes where the server can make them. */
    public void write(long offset, ByteBuffer bytes) throws IOException {
        while (pending.size() >= WINDOW) {
            receiveReply(NbdClient::noData, new ArrayList<>());
        }
        if (agreed.writeZeroes() && ZeroRuns.isZero(bytes)) {
            request(CMD_WRITE_ZEROES, offset, bytes.remaining());
            bytes.position(bytes.limit());
            return;
        }
        request(CMD_WRITE, offset, bytes.remaining());
        connection.send(bytes);
    }

    /** Waits for every write and makes them durable. */
    public void flush() throws IOException {
        drain(NbdClient::noData);
        request(CMD_FLUSH, 0, 0);
        drain(NbdClient::noData);
    }

    /** Data and holes of the range; the whole range as data when the server cannot say. */
    public List<Extent> extents(long offset, int length) throws IOException {
        if (!agreed.allocation()) {
            return List.of(new Extent(offset, length, false));
        }
        List<Extent> found = new ArrayList<>();
        request(CMD_BLOCK_STATUS, offset, length);
        while (!pending.isEmpty()) {
            receiveReply(NbdClient::noData, found);
        }
        if (found.isEmpty()) {
            throw new IOException("the server sent no extents for " + offset + "+" + length);
        }
        return found;
    }

    private static void noData(long offset, ByteBuffer bytes) throws IOException {
        throw new IOException("data without a read");
    }

    private void drain(ReadReceiver receiver) throws IOException {
        while (!pending.isEmpty()) {
            receiveReply(receiver, new ArrayList<>());
        }
    }

    private void request(int command, long offset, int length) throws IOException {
        long handle = ++lastHandle;
        pending.put(handle, new Pending(command, offset, length));
        header.clear();
        header.putInt(REQUEST_MAGIC)
                .putShort((short) CMD_FLAG_DF_NONE)
                .putShort((short) command)
                .putLong(handle)
                .putLong(offset)
                .putInt(length)
                .flip();
        connection.send(header);
    }

    private void receiveReply(ReadReceiver receiver, List<Extent> extents) throws IOException {
        ByteBuffer start = connection.receive(4);
        int magic = start.getInt();
        if (magic == SIMPLE_REPLY_MAGIC) {
            simpleReply(receiver);
        } else if (magic == STRUCTURED_REPLY_MAGIC && agreed.structured()) {
            structuredReply(receiver, extents);
        } else {
            throw new IOException("the server answered out of protocol (magic " + Integer.toHexString(magic) + ")");
        }
    }

    private void simpleReply(ReadReceiver receiver) throws IOException {
        ByteBuffer rest = connection.receive(12);
        int error = rest.getInt();
        Pending request = finish(rest.getLong());
        check(request, error, "");
        if (request.command() == CMD_READ) {
            receiver.data(request.offset(), receivePayload(request.length()));
        }
    }

    private void structuredReply(ReadReceiver receiver, List<Extent> extents) throws IOException {
        ByteBuffer rest = connection.receive(16);
        int flags = rest.getShort();
        int type = Short.toUnsignedInt(rest.getShort());
        long handle = rest.getLong();
        int length = rest.getInt();
        Pending request = pending.get(handle);
        if (request == null || length < 0) {
            throw new IOException("the server answered a request that was not made");
        }
        if ((flags & CHUNK_DONE) != 0) {
            pending.remove(handle);
        }
        if ((type & CHUNK_ERROR_BIT) != 0) {
            ByteBuffer body = connection.receive(Math.min(length, MAX_CONTROL_BYTES));
            int error = body.getInt();
            int messageLength = Math.min(Short.toUnsignedInt(body.getShort()), body.remaining());
            check(
                    request,
                    error,
                    StandardCharsets.UTF_8
                            .decode(body.slice(body.position(), messageLength))
                            .toString());
            return;
        }
        switch (type) {
            case CHUNK_NONE -> connection.receive(Math.min(length, MAX_CONTROL_BYTES));
            case CHUNK_OFFSET_DATA -> {
                ByteBuffer body = receivePayload(length);
                long offset = body.getLong();
                inRequest(request, offset, body.remaining());
                receiver.data(offset, body);
            }
            case CHUNK_OFFSET_HOLE -> {
                ByteBuffer body = connection.receive(12);
                inRequest(request, body.getLong(), Integer.toUnsignedLong(body.getInt()));
            }
            case CHUNK_BLOCK_STATUS ->
                blockStatus(request, connection.receive(Math.min(length, MAX_CONTROL_BYTES)), extents);
            default -> throw new IOException("the server sent an unknown kind of chunk, " + type);
        }
    }

    private static void blockStatus(Pending request, ByteBuffer body, List<Extent> extents) throws IOException {
        body.getInt();
        long at = request.offset();
        long end = request.offset() + request.length();
        while (body.remaining() >= 8 && at < end) {
            long length = Math.min(Integer.toUnsignedLong(body.getInt()), end - at);
            int state = body.getInt();
            if (length == 0) {
                throw new IOException("the server sent an extent without length");
            }
            extents.add(new Extent(at, length, (state & STATE_ZERO) != 0 && (state & STATE_HOLE) != 0));
            at += length;
        }
    }

    private static void inRequest(Pending request, long offset, long length) throws IOException {
        if (request.command() != CMD_READ
                || offset < request.offset()
                || offset + length > request.offset() + request.length()) {
            throw new IOException("the server sent bytes " + offset + "+" + length + " that were not asked for");
        }
    }

    private Pending finish(long handle) throws IOException {
        Pending request = pending.remove(handle);
        if (request == null) {
            throw new IOException("the server answered a request that was not made");
        }
        return request;
    }

    private static void check(Pending request, int error, String message) throws IOException {
        if (error != 0) {
            String what =
                    switch (request.command()) {
                        case CMD_READ -> "read";
                        case CMD_WRITE, CMD_WRITE_ZEROES -> "write";
                        case CMD_FLUSH -> "flush";
                        default -> "request";
                    };
            throw new IOException("the " + what + " of " + request.length() + " bytes at " + request.offset()
                    + " failed with error " + error + (message.isBlank() ? "" : " (" + message + ")"));
        }
    }

    private ByteBuffer receivePayload(int length) throws IOException {
        if (length > payload.capacity()) {
            throw new IOException("the server sent " + length + " bytes at once, more than asked for");
        }
        payload.clear().limit(length);
        connection.receive(payload);
        return payload.flip();
    }

    /** Says goodbye; writes that were not flushed may or may not have happened. */
    @Override
    public void close() {
        try {
            request(CMD_DISC, 0, 0);
        } catch (IOException e) {
            // The other end is gone already.
            pending.clear();
        }
        connection.close();
    }
}
