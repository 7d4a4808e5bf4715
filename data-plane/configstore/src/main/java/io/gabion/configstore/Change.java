package io.gabion.configstore;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import io.gabion.model.DiskRecord;
import io.gabion.model.NodeRecord;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.ControlCodec;
import io.gabion.protocol.control.PoolRecord;
import io.gabion.protocol.control.SnapshotCodec;
import io.gabion.protocol.control.SnapshotRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * One accepted change of the records. On disk:
 *
 * <pre>
 *   +--------+-----------+------------------------------------------+
 *   | kind 1 | length 4  | message of control.proto, or a volume id |
 *   +--------+-----------+------------------------------------------+
 *   kind: 1 volume, 2 volume removed (id as text), 3 disk, 4 node, 5 pool, 6 snapshot, 7 snapshot removed (the last record of it)
 *   length big-endian, of what follows
 * </pre>
 */
sealed interface Change {
    int HEADER_BYTES = 5;

    record VolumePut(VolumeRecord record) implements Change {}

    record VolumeRemoved(VolumeId id) implements Change {}

    record DiskPut(DiskRecord record) implements Change {}

    record NodePut(NodeRecord record) implements Change {}

    record PoolPut(PoolRecord record) implements Change {}

    record SnapshotPut(SnapshotRecord record) implements Change {}

    record SnapshotRemoved(SnapshotRecord last) implements Change {}

    /** The bytes of the drawing above. */
    default byte[] encode() {
        return switch (this) {
            case VolumePut put -> framed(1, ControlCodec.toProto(put.record()));
            case VolumeRemoved removed -> framed(2, removed.id().toString().getBytes(StandardCharsets.US_ASCII));
            case DiskPut put -> framed(3, ControlCodec.toProto(put.record()));
            case NodePut put -> framed(4, ControlCodec.toProto(put.record()));
            case PoolPut put -> framed(5, ControlCodec.toProto(put.record()));
            case SnapshotPut put -> framed(6, SnapshotCodec.toProto(put.record()));
            case SnapshotRemoved removed -> framed(7, SnapshotCodec.toProto(removed.last()));
        };
    }

    /** Reads one change at the buffer's position. Throws {@link IOException} that says what is wrong with it. */
    static Change decode(ByteBuffer in) throws IOException {
        if (in.remaining() < HEADER_BYTES) {
            throw new IOException("a change is cut off");
        }
        int kind = in.get();
        int length = in.getInt();
        if (length < 0 || length > in.remaining()) {
            throw new IOException("a change claims " + length + " bytes where " + in.remaining() + " are left");
        }
        byte[] body = new byte[length];
        in.get(body);
        try {
            return switch (kind) {
                case 1 ->
                    new VolumePut(ControlCodec.fromProto(io.gabion.protocol.control.v1.VolumeRecord.parseFrom(body)));
                case 2 -> new VolumeRemoved(VolumeId.of(new String(body, StandardCharsets.US_ASCII)));
                case 3 -> new DiskPut(ControlCodec.fromProto(io.gabion.protocol.control.v1.DiskRecord.parseFrom(body)));
                case 4 -> new NodePut(ControlCodec.fromProto(io.gabion.protocol.control.v1.NodeRecord.parseFrom(body)));
                case 5 -> new PoolPut(ControlCodec.fromProto(io.gabion.protocol.control.v1.PoolRecord.parseFrom(body)));
                case 6 -> new SnapshotPut(snapshot(body));
                case 7 -> new SnapshotRemoved(snapshot(body));
                default -> throw new IOException("unknown kind of change " + kind + " (written by a newer version?)");
            };
        } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
            throw new IOException("a change of kind " + kind + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static SnapshotRecord snapshot(byte[] body) throws InvalidProtocolBufferException {
        return SnapshotCodec.fromProto(io.gabion.protocol.control.v1.SnapshotRecord.parseFrom(body));
    }

    private static byte[] framed(int kind, MessageLite message) {
        return framed(kind, message.toByteArray());
    }

    private static byte[] framed(int kind, byte[] body) {
        return ByteBuffer.allocate(HEADER_BYTES + body.length)
                .put((byte) kind)
                .putInt(body.length)
                .put(body)
                .array();
    }
}
