package io.gabion.wire;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.NodeMessage;
import io.gabion.core.message.PeerMessage;

/** A frame that was received and understood. Owns the references of its payloads. */
sealed interface Inbound {
    record Control(ControlFrame frame) implements Inbound {}

    record Peer(PeerMessage message) implements Inbound {}

    record Node(NodeMessage message) implements Inbound {}

    record Client(ClientMessage message) implements Inbound {}

    /**
     * Reads a whole frame. On failure all its payloads are released.
     *
     * @throws WireFormatException when the body is not what its type demands
     */
    static Inbound read(FrameBody body) {
        try {
            Inbound frame = readBody(body);
            body.complete();
            return frame;
        } catch (IllegalArgumentException e) {
            // The records check their own values: ranges, names, epochs.
            WireFormatException malformed = body.malformed(String.valueOf(e.getMessage()));
            body.abandon();
            throw malformed;
        } catch (RuntimeException e) {
            body.abandon();
            throw e;
        }
    }

    private static Inbound readBody(FrameBody in) {
        return switch (in.type().family()) {
            case CONTROL -> new Control(readControl(in));
            case NODE -> new Node(readNode(in));
            case PEER -> new Peer(readPeer(in));
            case REQUEST, RESPONSE -> new Client(readClient(in));
        };
    }

    private static ControlFrame readControl(FrameBody in) {
        return switch (in.type()) {
            case HELLO -> ControlFrame.readHello(in);
            case WELCOME -> ControlFrame.readWelcome(in);
            case REFUSED -> ControlFrame.readRefused(in);
            case GOODBYE -> ControlFrame.readGoodbye(in);
            case KEEP_ALIVE -> new ControlFrame.KeepAlive();
            default -> throw notOf(in);
        };
    }

    private static NodeMessage readNode(FrameBody in) {
        return switch (in.type()) {
            case HEARTBEAT -> NodeMessageCodec.readHeartbeat(in);
            case HEARTBEAT_ACK -> NodeMessageCodec.readHeartbeatAck(in);
            default -> throw notOf(in);
        };
    }

    private static PeerMessage readPeer(FrameBody in) {
        return switch (in.type()) {
            case REPLICATE -> PeerMessageReader.readReplicate(in);
            case DURABLE -> PeerMessageReader.readDurable(in);
            case COMMITTED -> PeerMessageReader.readCommitted(in);
            case NEW_EPOCH -> PeerMessageReader.readNewEpoch(in);
            case EPOCH_PROMISED -> PeerMessageReader.readEpochPromised(in);
            case EPOCH_REFUSED -> PeerMessageReader.readEpochRefused(in);
            case RECONCILE -> PeerMessageReader.readReconcile(in);
            case RECONCILE_END -> PeerMessageReader.readReconcileEnd(in);
            case RECONCILED -> PeerMessageReader.readReconciled(in);
            case MEMBER_FAULTED -> PeerMessageReader.readMemberFaulted(in);
            case RESUME -> PeerMessageReader.readResume(in);
            case TAKE_OVER -> PeerMessageReader.readTakeOver(in);
            case STATE_REPORT -> PeerMessageReader.readStateReport(in);
            case JOIN_REQUEST -> PeerMessageReader.readJoinRequest(in);
            case JOIN_START -> PeerMessageReader.readJoinStart(in);
            case JOIN_REFUSED -> PeerMessageReader.readJoinRefused(in);
            case DIFFERENCE_QUERY -> PeerMessageReader.readDifferenceQuery(in);
            case DIFFERENCES -> PeerMessageReader.readDifferences(in);
            case FETCH_BLOCKS -> PeerMessageReader.readFetchBlocks(in);
            case BLOCKS -> PeerMessageReader.readBlocks(in);
            case BLOCKS_UNREADABLE -> PeerMessageReader.readBlocksUnreadable(in);
            case COPY_COMPLETE -> PeerMessageReader.readCopyComplete(in);
            case REGIONS_AT -> PeerMessageReader.readRegionsAt(in);
            case STILL_DIFFERENT -> PeerMessageReader.readStillDifferent(in);
            default -> throw notOf(in);
        };
    }

    private static ClientMessage readClient(FrameBody in) {
        return switch (in.type()) {
            case OPEN -> ClientMessageCodec.readOpen(in);
            case CLOSE -> ClientMessageCodec.readClose(in);
            case WRITE -> ClientMessageCodec.readWrite(in);
            case READ -> ClientMessageCodec.readRead(in);
            case TRIM -> ClientMessageCodec.readTrim(in);
            case FLUSH -> ClientMessageCodec.readFlush(in);
            case BLOCK_STATUS -> ClientMessageCodec.readBlockStatus(in);
            case OPENED -> ClientMessageCodec.readOpened(in);
            case NOT_PRIMARY -> ClientMessageCodec.readNotPrimary(in);
            case SESSION_FENCED -> ClientMessageCodec.readSessionFenced(in);
            case NOT_ATTACHED -> ClientMessageCodec.readNotAttached(in);
            case UNKNOWN_VOLUME -> ClientMessageCodec.readUnknownVolume(in);
            case DONE -> ClientMessageCodec.readDone(in);
            case READ_DONE -> ClientMessageCodec.readReadDone(in);
            case BLOCK_STATUS_DONE -> ClientMessageCodec.readBlockStatusDone(in);
            default -> throw notOf(in);
        };
    }

    private static IllegalStateException notOf(FrameBody in) {
        return new IllegalStateException(in.type() + " is not of its family");
    }
}
