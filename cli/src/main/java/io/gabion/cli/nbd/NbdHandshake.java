package io.gabion.cli.nbd;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The first part of an NBD connection: fixed newstyle, structured replies and base:allocation where the server has them,
 * OPT_GO.
 */
final class NbdHandshake {
    private static final long INIT_MAGIC = 0x4e42444d41474943L;
    private static final long OPTION_MAGIC = 0x49484156454F5054L;
    private static final long OPTION_REPLY_MAGIC = 0x3e889045565a9L;
    private static final int FLAG_FIXED_NEWSTYLE = 1;
    private static final int FLAG_NO_ZEROES = 2;
    private static final int OPT_GO = 7;
    private static final int OPT_STRUCTURED_REPLY = 8;
    private static final int OPT_SET_META_CONTEXT = 10;
    private static final int REP_ACK = 1;
    private static final int REP_INFO = 3;
    private static final int REP_META_CONTEXT = 4;
    private static final int REP_ERROR_BIT = 0x80000000;
    private static final int INFO_EXPORT = 0;
    private static final int TRANSMISSION_WRITE_ZEROES = 1 << 6;
    /** Longest option reply that a sane server sends. */
    private static final int MAX_REPLY_BYTES = 64 * 1024;
    /** Replies to one option; OPT_GO sends a handful. */
    private static final int MAX_REPLIES = 64;

    private static final String ALLOCATION = "base:allocation";

    private final NbdConnection connection;

    NbdHandshake(NbdConnection connection) {
        this.connection = connection;
    }

    /** @param allocation whether holes can be asked for */
    record Agreed(long sizeBytes, boolean writeZeroes, boolean structured, boolean allocation) {}

    Agreed negotiate(String export) throws IOException {
        ByteBuffer hello = connection.receive(18);
        if (hello.getLong() != INIT_MAGIC || hello.getLong() != OPTION_MAGIC) {
            throw new IOException("this is not an NBD server");
        }
        int flags = hello.getShort();
        if ((flags & FLAG_FIXED_NEWSTYLE) == 0) {
            throw new IOException("the server is too old (no fixed newstyle)");
        }
        connection.send(ByteBuffer.allocate(4)
                .putInt(FLAG_FIXED_NEWSTYLE | (flags & FLAG_NO_ZEROES))
                .flip());
        boolean structured =
                option(OPT_STRUCTURED_REPLY, ByteBuffer.allocate(0)).accepted();
        boolean allocation = structured
                && !option(OPT_SET_META_CONTEXT, metaContext(export)).contexts().isEmpty();
        byte[] name = export.getBytes(StandardCharsets.UTF_8);
        OptionAnswer go = option(
                OPT_GO,
                ByteBuffer.allocate(4 + name.length + 2)
                        .putInt(name.length)
                        .put(name)
                        .putShort((short) 0)
                        .flip());
        if (!go.accepted() || go.sizeBytes() < 0) {
            throw new IOException("the server refused the export: " + go.failure());
        }
        return new Agreed(
                go.sizeBytes(), (go.transmissionFlags() & TRANSMISSION_WRITE_ZEROES) != 0, structured, allocation);
    }

    private static ByteBuffer metaContext(String export) {
        byte[] name = export.getBytes(StandardCharsets.UTF_8);
        byte[] context = ALLOCATION.getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocate(4 + name.length + 4 + 4 + context.length)
                .putInt(name.length)
                .put(name)
                .putInt(1)
                .putInt(context.length)
                .put(context)
                .flip();
    }

    private record OptionAnswer(
            boolean accepted, String failure, long sizeBytes, int transmissionFlags, List<Integer> contexts) {}

    private OptionAnswer option(int option, ByteBuffer data) throws IOException {
        connection.send(ByteBuffer.allocate(16 + data.remaining())
                .putLong(OPTION_MAGIC)
                .putInt(option)
                .putInt(data.remaining())
                .put(data)
                .flip());
        long size = -1;
        int transmission = 0;
        List<Integer> contexts = new ArrayList<>();
        for (int replies = 0; replies < MAX_REPLIES; replies++) {
            ByteBuffer reply = connection.receive(20);
            long magic = reply.getLong();
            int answered = reply.getInt();
            int type = reply.getInt();
            int length = reply.getInt();
            if (magic != OPTION_REPLY_MAGIC || answered != option || length < 0 || length > MAX_REPLY_BYTES) {
                throw new IOException("the server answered option " + option + " out of protocol");
            }
            ByteBuffer body = connection.receive(length);
            if ((type & REP_ERROR_BIT) != 0) {
                String text = StandardCharsets.UTF_8.decode(body).toString();
                return new OptionAnswer(
                        false,
                        text.isBlank() ? "error " + (type & ~REP_ERROR_BIT) : text,
                        size,
                        transmission,
                        contexts);
            }
            if (type == REP_ACK) {
                return new OptionAnswer(true, "", size, transmission, contexts);
            }
            if (type == REP_INFO && length >= 12 && body.getShort() == INFO_EXPORT) {
                size = body.getLong();
                transmission = body.getShort();
            } else if (type == REP_META_CONTEXT && length >= 4) {
                contexts.add(body.getInt());
            }
        }
        throw new IOException("the server never ends its answer to option " + option);
    }
}
