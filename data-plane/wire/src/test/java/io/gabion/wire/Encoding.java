package io.gabion.wire;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.NodeMessage;
import io.gabion.core.message.Payload;
import io.gabion.core.message.PeerMessage;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;

/** Frames without a connection. */
final class Encoding {
    private Encoding() {}

    /** Header and body of a message or control frame, without its payloads. */
    static ByteBuf head(Object message) {
        ByteBuf out = Unpooled.buffer();
        write(new FrameWriter(out), message);
        return out;
    }

    static ByteBuf whole(Object message) {
        ByteBuf out = Unpooled.buffer();
        FrameWriter writer = new FrameWriter(out);
        write(writer, message);
        for (Payload payload : List.copyOf(writer.payloads())) {
            out.writeBytes(payload.bytes());
        }
        return out;
    }

    static void write(FrameWriter writer, Object message) {
        switch (message) {
            case PeerMessage m -> PeerMessageWriter.write(writer, m);
            case NodeMessage m -> NodeMessageCodec.write(writer, m);
            case ClientMessage m -> ClientMessageCodec.write(writer, m);
            case ControlFrame f -> ControlFrame.write(writer, f);
            default -> throw new IllegalArgumentException("no message: " + message);
        }
    }

    /** Who sends a message of this class, and who receives it. */
    static Role[] rolesOf(Object message) {
        return switch (message) {
            case ClientMessage.Request _ -> new Role[] {Role.AGENT, Role.NODE};
            case ClientMessage.Response _ -> new Role[] {Role.NODE, Role.AGENT};
            default -> new Role[] {Role.NODE, Role.NODE};
        };
    }

    /** Reads everything in pieces of the given lengths (the last one repeats); returns the messages. */
    static List<Object> read(ByteBufAllocator allocator, ByteBuf bytes, Role[] roles, int... pieces) {
        List<Object> found = new ArrayList<>();
        FrameReader reader = new FrameReader(allocator, body -> found.add(unwrap(Inbound.read(body))));
        reader.admit(roles[0], roles[1]);
        try {
            for (int i = 0; bytes.isReadable(); i++) {
                int length = Math.min(bytes.readableBytes(), pieces[Math.min(i, pieces.length - 1)]);
                ByteBuf piece = allocator.buffer(length).writeBytes(bytes, length);
                try {
                    reader.read(piece);
                } finally {
                    piece.release();
                }
            }
            return found;
        } catch (WireFormatException e) {
            found.forEach(message -> MessageEquality.payloads(message).forEach(Payload::release));
            throw e;
        } finally {
            reader.close();
        }
    }

    private static Object unwrap(Inbound inbound) {
        return switch (inbound) {
            case Inbound.Control c -> c.frame();
            case Inbound.Peer p -> p.message();
            case Inbound.Node n -> n.message();
            case Inbound.Client c -> c.message();
        };
    }

    /** Computes all checksums of the frame at the start again, after its bytes were changed. */
    static void seal(ByteBuf frame) {
        Checksums checksums = new Checksums();
        int body = frame.getInt(Frames.BODY_LENGTH_AT);
        if (body >= 0 && body <= frame.writerIndex() - Frames.HEADER_BYTES) {
            frame.setInt(Frames.BODY_CRC_AT, checksums.of(frame, Frames.HEADER_BYTES, body));
        }
        sealHeader(frame);
    }

    static void sealHeader(ByteBuf frame) {
        frame.setInt(Frames.HEADER_CRC_AT, new Checksums().of(frame, 0, Frames.HEADER_CRC_AT));
    }
}
