package io.gabion.wire;

import io.gabion.core.message.NodeMessage;
import io.gabion.core.message.NodeMessage.Heartbeat;
import io.gabion.core.message.NodeMessage.HeartbeatAck;
import io.gabion.core.message.NodeMessage.PromisedEpoch;
import java.util.ArrayList;
import java.util.List;

/** Bodies of {@link NodeMessage}s. */
final class NodeMessageCodec {
    private static final int PROMISED_BYTES = 24;

    private NodeMessageCodec() {}

    static void write(FrameWriter out, NodeMessage message) {
        switch (message) {
            case Heartbeat m -> {
                out.begin(FrameType.HEARTBEAT);
                out.i64(m.number()).uuid(m.bootId()).i64(m.probeAgeMillis());
                writePromised(out, m.promised());
            }
            case HeartbeatAck m -> {
                out.begin(FrameType.HEARTBEAT_ACK);
                out.i64(m.number());
                writePromised(out, m.promised());
            }
        }
        out.finish();
    }

    static Heartbeat readHeartbeat(FrameBody in) {
        return new Heartbeat(in.i64(), in.uuid(), in.i64(), readPromised(in));
    }

    static HeartbeatAck readHeartbeatAck(FrameBody in) {
        return new HeartbeatAck(in.i64(), readPromised(in));
    }

    private static void writePromised(FrameWriter out, List<PromisedEpoch> promised) {
        out.count(promised.size(), Frames.MAX_PROMISED, "promised epochs");
        for (PromisedEpoch entry : promised) {
            out.uuid(entry.volume().value()).i64(entry.epoch());
        }
    }

    private static List<PromisedEpoch> readPromised(FrameBody in) {
        int count = in.count(Frames.MAX_PROMISED, PROMISED_BYTES, "promised epochs");
        List<PromisedEpoch> promised = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            promised.add(new PromisedEpoch(in.volume(), in.i64()));
        }
        return promised;
    }
}
