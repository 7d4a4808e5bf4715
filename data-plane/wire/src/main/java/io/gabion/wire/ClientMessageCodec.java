package io.gabion.wire;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.ClientMessage.BlockStatus;
import io.gabion.core.message.ClientMessage.BlockStatusDone;
import io.gabion.core.message.ClientMessage.Close;
import io.gabion.core.message.ClientMessage.Done;
import io.gabion.core.message.ClientMessage.Extent;
import io.gabion.core.message.ClientMessage.Flush;
import io.gabion.core.message.ClientMessage.IoRequest;
import io.gabion.core.message.ClientMessage.IoStatus;
import io.gabion.core.message.ClientMessage.NotAttached;
import io.gabion.core.message.ClientMessage.NotPrimary;
import io.gabion.core.message.ClientMessage.Open;
import io.gabion.core.message.ClientMessage.Opened;
import io.gabion.core.message.ClientMessage.PhaseTimes;
import io.gabion.core.message.ClientMessage.Read;
import io.gabion.core.message.ClientMessage.ReadDone;
import io.gabion.core.message.ClientMessage.Request;
import io.gabion.core.message.ClientMessage.Response;
import io.gabion.core.message.ClientMessage.SessionFenced;
import io.gabion.core.message.ClientMessage.Trim;
import io.gabion.core.message.ClientMessage.UnknownVolume;
import io.gabion.core.message.ClientMessage.Write;
import io.gabion.core.message.Payload;
import io.gabion.core.message.RequestId;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.NodeName;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Bodies of {@link ClientMessage}s. */
final class ClientMessageCodec {
    private static final int EXTENT_BYTES = 9;

    private ClientMessageCodec() {}

    static void write(FrameWriter out, ClientMessage message) {
        switch (message) {
            case Request request -> writeRequest(out, request);
            case Response response -> writeResponse(out, response);
        }
        out.finish();
    }

    private static void writeRequest(FrameWriter out, Request request) {
        switch (request) {
            case Write m -> io(out, FrameType.WRITE, m).range(m.range()).onlyPayload(m.payload());
            case Read m -> io(out, FrameType.READ, m).range(m.range());
            case Trim m -> io(out, FrameType.TRIM, m).range(m.range());
            case Flush m -> io(out, FrameType.FLUSH, m);
            case BlockStatus m -> io(out, FrameType.BLOCK_STATUS, m).range(m.range());
            case Open m ->
                begin(out, FrameType.OPEN, m)
                        .i64(m.generation())
                        .uuid(m.instance())
                        .i64(m.knownConnection())
                        .i64(m.knownEpoch());
            case Close m -> begin(out, FrameType.CLOSE, m).session(m.session());
        }
    }

    private static void writeResponse(FrameWriter out, Response response) {
        switch (response) {
            case Done m ->
                times(
                        begin(out, FrameType.DONE, m)
                                .request(m.request())
                                .i64(m.epoch())
                                .u8(code(m.status())),
                        m.times());
            case ReadDone m ->
                times(begin(out, FrameType.READ_DONE, m).request(m.request()).i64(m.epoch()), m.times())
                        .onlyPayload(m.payload());
            case BlockStatusDone m -> {
                begin(out, FrameType.BLOCK_STATUS_DONE, m).request(m.request()).i64(m.epoch());
                out.count(m.extents().size(), Frames.MAX_EXTENTS, "extents");
                for (Extent extent : m.extents()) {
                    out.i64(extent.lengthBytes()).bool(extent.hole());
                }
            }
            case Opened m ->
                begin(out, FrameType.OPENED, m)
                        .i64(m.epoch())
                        .session(m.session())
                        .i64(m.sizeBytes())
                        .i32(m.maxOutstandingRequests())
                        .i64(m.maxOutstandingBytes());
            case NotPrimary m -> {
                begin(out, FrameType.NOT_PRIMARY, m)
                        .i64(m.epoch())
                        .bool(m.hint().isPresent());
                m.hint().ifPresent(out::node);
                out.reason(m.reason());
            }
            case SessionFenced m ->
                begin(out, FrameType.SESSION_FENCED, m).session(m.highest()).reason(m.reason());
            case NotAttached m -> begin(out, FrameType.NOT_ATTACHED, m).reason(m.reason());
            case UnknownVolume m -> begin(out, FrameType.UNKNOWN_VOLUME, m);
        }
    }

    private static FrameWriter begin(FrameWriter out, FrameType type, ClientMessage message) {
        out.begin(type);
        return out.uuid(message.volume().value());
    }

    private static FrameWriter io(FrameWriter out, FrameType type, IoRequest message) {
        return begin(out, type, message)
                .session(message.session())
                .request(message.request())
                .i64(message.lowestOutstanding());
    }

    private static FrameWriter times(FrameWriter out, PhaseTimes times) {
        return out.i64(times.queueMicros()).i64(times.localMicros()).i64(times.replicaMicros());
    }

    private static int code(IoStatus status) {
        return switch (status) {
            case OK -> 0;
            case OUT_OF_RANGE -> 1;
            case NO_SPACE -> 2;
            case UNREADABLE -> 3;
            case READ_ONLY -> 4;
        };
    }

    private static IoStatus status(FrameBody in) {
        int code = in.u8();
        return switch (code) {
            case 0 -> IoStatus.OK;
            case 1 -> IoStatus.OUT_OF_RANGE;
            case 2 -> IoStatus.NO_SPACE;
            case 3 -> IoStatus.UNREADABLE;
            case 4 -> IoStatus.READ_ONLY;
            default -> throw in.malformed("unknown status " + code);
        };
    }

    // ---- requests
    static Open readOpen(FrameBody in) {
        return new Open(in.volume(), in.i64(), in.uuid(), in.i64(), in.i64());
    }

    static Close readClose(FrameBody in) {
        return new Close(in.volume(), in.session());
    }

    static Write readWrite(FrameBody in) {
        VolumeId volume = in.volume();
        SessionId session = in.session();
        RequestId request = in.request();
        long lowestOutstanding = in.i64();
        ByteRange range = in.range(BlockGeometry.MAX_IO_BYTES);
        Payload payload = in.onlyPayload();
        if (payload.length() != range.length()) {
            throw in.malformed("payload of " + payload.length() + " bytes for range " + range);
        }
        return new Write(volume, session, request, lowestOutstanding, range, payload);
    }

    static Read readRead(FrameBody in) {
        return new Read(in.volume(), in.session(), in.request(), in.i64(), in.range(BlockGeometry.MAX_IO_BYTES));
    }

    static Trim readTrim(FrameBody in) {
        return new Trim(in.volume(), in.session(), in.request(), in.i64(), in.range(BlockGeometry.MAX_TRIM_BYTES));
    }

    static Flush readFlush(FrameBody in) {
        return new Flush(in.volume(), in.session(), in.request(), in.i64());
    }

    static BlockStatus readBlockStatus(FrameBody in) {
        return new BlockStatus(in.volume(), in.session(), in.request(), in.i64(), in.range());
    }

    // ---- responses
    static Opened readOpened(FrameBody in) {
        return new Opened(in.volume(), in.i64(), in.session(), in.i64(), in.i32(), in.i64());
    }

    static NotPrimary readNotPrimary(FrameBody in) {
        VolumeId volume = in.volume();
        long epoch = in.i64();
        Optional<NodeName> hint = in.bool() ? Optional.of(in.node()) : Optional.empty();
        return new NotPrimary(volume, epoch, hint, in.reason());
    }

    static SessionFenced readSessionFenced(FrameBody in) {
        return new SessionFenced(in.volume(), in.session(), in.reason());
    }

    static NotAttached readNotAttached(FrameBody in) {
        return new NotAttached(in.volume(), in.reason());
    }

    static UnknownVolume readUnknownVolume(FrameBody in) {
        return new UnknownVolume(in.volume());
    }

    static Done readDone(FrameBody in) {
        return new Done(in.volume(), in.request(), in.i64(), status(in), readTimes(in));
    }

    static ReadDone readReadDone(FrameBody in) {
        VolumeId volume = in.volume();
        RequestId request = in.request();
        long epoch = in.i64();
        PhaseTimes times = readTimes(in);
        return new ReadDone(volume, request, epoch, in.onlyPayload(), times);
    }

    static BlockStatusDone readBlockStatusDone(FrameBody in) {
        VolumeId volume = in.volume();
        RequestId request = in.request();
        long epoch = in.i64();
        int count = in.count(Frames.MAX_EXTENTS, EXTENT_BYTES, "extents");
        List<Extent> extents = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            extents.add(new Extent(in.count64(), in.bool()));
        }
        return new BlockStatusDone(volume, request, epoch, extents);
    }

    private static PhaseTimes readTimes(FrameBody in) {
        return new PhaseTimes(in.i64(), in.i64(), in.i64());
    }
}
