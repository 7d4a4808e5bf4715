package io.gabion.agent.nbd;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Says exactly what a test wants to an NBD server, right or wrong, and reads the answers byte by byte. */
final class RawNbdClient implements AutoCloseable {
    private final AutoCloseable socket;
    private final DataInputStream in;
    private final DataOutputStream out;

    RawNbdClient(AutoCloseable socket, InputStream in, OutputStream out) {
        this.socket = socket;
        this.in = new DataInputStream(in);
        this.out = new DataOutputStream(out);
    }

    static RawNbdClient connect(Path path) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(path));
        return new RawNbdClient(channel, Channels.newInputStream(channel), Channels.newOutputStream(channel));
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared
    record OptionReply(int option, int type, byte[] data) {
        String text() {
            return new String(data, StandardCharsets.UTF_8);
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Chunk(int flags, int type, long cookie, byte[] payload) {
        boolean done() {
            return (flags & NbdProtocol.REPLY_FLAG_DONE) != 0;
        }

        int error() {
            return type == NbdProtocol.REPLY_TYPE_ERROR
                    ? ByteBuffer.wrap(payload).getInt()
                    : 0;
        }
    }

    // ---- handshake
    RawNbdClient greet() throws IOException {
        return greet(NbdProtocol.FLAG_FIXED_NEWSTYLE | NbdProtocol.FLAG_NO_ZEROES);
    }

    RawNbdClient greet(int clientFlags) throws IOException {
        if (in.readLong() != NbdProtocol.GREETING_MAGIC || in.readLong() != NbdProtocol.OPTION_MAGIC) {
            throw new IOException("wrong greeting");
        }
        int flags = in.readUnsignedShort();
        if (flags != (NbdProtocol.FLAG_FIXED_NEWSTYLE | NbdProtocol.FLAG_NO_ZEROES)) {
            throw new IOException("handshake flags are " + flags);
        }
        out.writeInt(clientFlags);
        return this;
    }

    void sendOption(int option, byte[] data) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(16 + data.length);
        buffer.putLong(NbdProtocol.OPTION_MAGIC)
                .putInt(option)
                .putInt(data.length)
                .put(data);
        out.write(buffer.array());
        out.flush();
    }

    OptionReply readOptionReply() throws IOException {
        if (in.readLong() != NbdProtocol.OPTION_REPLY_MAGIC) {
            throw new IOException("wrong option reply magic");
        }
        int option = in.readInt();
        int type = in.readInt();
        byte[] data = new byte[in.readInt()];
        in.readFully(data);
        return new OptionReply(option, type, data);
    }

    /** All replies up to the final one. */
    List<OptionReply> option(int option, byte[] data) throws IOException {
        sendOption(option, data);
        List<OptionReply> replies = new ArrayList<>();
        OptionReply reply;
        do {
            reply = readOptionReply();
            replies.add(reply);
        } while (reply.type() > NbdProtocol.REP_ACK);
        return replies;
    }

    int optionResult(int option, byte[] data) throws IOException {
        return option(option, data).getLast().type();
    }

    static byte[] goData(String name, int... wanted) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        ByteBuffer buffer = ByteBuffer.allocate(4 + bytes.length + 2 + 2 * wanted.length);
        buffer.putInt(bytes.length).put(bytes).putShort((short) wanted.length);
        for (int type : wanted) {
            buffer.putShort((short) type);
        }
        return buffer.array();
    }

    static byte[] metaContextData(String name, String... queries) {
        ByteBuffer buffer = ByteBuffer.allocate(8192);
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        buffer.putInt(bytes.length).put(bytes).putInt(queries.length);
        for (String query : queries) {
            byte[] text = query.getBytes(StandardCharsets.UTF_8);
            buffer.putInt(text.length).put(text);
        }
        byte[] result = new byte[buffer.position()];
        buffer.flip().get(result);
        return result;
    }

    /** Into transmission, with simple replies. */
    RawNbdClient simple(String export) throws IOException {
        expectAck(optionResult(NbdProtocol.OPT_GO, goData(export)));
        return this;
    }

    /** Into transmission, with structured replies and base:allocation. */
    RawNbdClient structured(String export) throws IOException {
        expectAck(optionResult(NbdProtocol.OPT_STRUCTURED_REPLY, new byte[0]));
        expectAck(optionResult(NbdProtocol.OPT_SET_META_CONTEXT, metaContextData(export, NbdProtocol.BASE_ALLOCATION)));
        return simple(export);
    }

    private static void expectAck(int type) throws IOException {
        if (type != NbdProtocol.REP_ACK) {
            throw new IOException("option failed: " + Integer.toHexString(type));
        }
    }

    // ---- transmission
    static byte[] request(int command, int flags, long cookie, long offset, long length) {
        return ByteBuffer.allocate(NbdProtocol.REQUEST_HEADER_BYTES)
                .putInt(NbdProtocol.REQUEST_MAGIC)
                .putShort((short) flags)
                .putShort((short) command)
                .putLong(cookie)
                .putLong(offset)
                .putInt((int) length)
                .array();
    }

    void send(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
    }

    void send(int command, int flags, long cookie, long offset, long length) throws IOException {
        send(request(command, flags, cookie, offset, length));
    }

    void write(int flags, long cookie, long offset, byte[] data) throws IOException {
        ByteBuffer message = ByteBuffer.allocate(NbdProtocol.REQUEST_HEADER_BYTES + data.length);
        message.put(request(NbdProtocol.CMD_WRITE, flags, cookie, offset, data.length))
                .put(data);
        send(message.array());
    }

    /** The error of a simple reply to the request with this cookie. */
    int simpleReply(long cookie) throws IOException {
        if (in.readInt() != NbdProtocol.SIMPLE_REPLY_MAGIC) {
            throw new IOException("wrong simple reply magic");
        }
        int error = in.readInt();
        long found = in.readLong();
        if (found != cookie) {
            throw new IOException("reply to " + found + " instead of " + cookie);
        }
        return error;
    }

    long simpleReplyCookie() throws IOException {
        in.readInt();
        in.readInt();
        return in.readLong();
    }

    byte[] data(int length) throws IOException {
        return in.readNBytes(length);
    }

    Chunk chunk() throws IOException {
        int magic = in.readInt();
        if (magic == NbdProtocol.SIMPLE_REPLY_MAGIC) {
            byte[] error = new byte[Integer.BYTES];
            in.readFully(error);
            int type =
                    ByteBuffer.wrap(error).getInt() == 0 ? NbdProtocol.REPLY_TYPE_NONE : NbdProtocol.REPLY_TYPE_ERROR;
            return new Chunk(NbdProtocol.REPLY_FLAG_DONE, type, in.readLong(), error);
        }
        if (magic != NbdProtocol.STRUCTURED_REPLY_MAGIC) {
            throw new IOException("wrong structured reply magic " + Integer.toHexString(magic));
        }
        int flags = in.readUnsignedShort();
        int type = in.readUnsignedShort();
        long cookie = in.readLong();
        byte[] payload = new byte[in.readInt()];
        in.readFully(payload);
        return new Chunk(flags, type, cookie, payload);
    }

    /** All chunks of one reply; nothing else may come between. */
    List<Chunk> chunks() throws IOException {
        List<Chunk> result = new ArrayList<>();
        do {
            result.add(chunk());
        } while (!result.getLast().done());
        return result;
    }

    /** A structured read, put together; -1 in the first byte of nothing: fails on errors and on gaps. */
    byte[] read(int flags, long cookie, long offset, int length) throws IOException {
        send(NbdProtocol.CMD_READ, flags, cookie, offset, length);
        byte[] result = new byte[length];
        int covered = 0;
        for (Chunk chunk : chunks()) {
            if (chunk.error() != 0) {
                throw new IOException("read failed: " + chunk.error());
            }
            ByteBuffer payload = ByteBuffer.wrap(chunk.payload());
            if (chunk.type() == NbdProtocol.REPLY_TYPE_OFFSET_DATA) {
                int at = (int) (payload.getLong() - offset);
                covered += payload.remaining();
                payload.get(result, at, payload.remaining());
            } else if (chunk.type() == NbdProtocol.REPLY_TYPE_OFFSET_HOLE) {
                payload.getLong();
                covered += payload.getInt();
            }
        }
        if (covered != length) {
            throw new IOException("chunks cover " + covered + " bytes of " + length);
        }
        return result;
    }

    /** True when the server ends the connection; reads away what came before. */
    boolean isClosedByServer() {
        try {
            in.readAllBytes();
            return true;
        } catch (IOException reset) {
            return true;
        }
    }

    @Override
    public void close() throws IOException {
        try {
            socket.close();
        } catch (Exception e) {
            throw new IOException(e);
        }
    }
}
