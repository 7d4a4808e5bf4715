package io.gabion.wire;

/** Why a connection ended, or never came about. {@code detail} is one sentence for people and names the peer. */
public sealed interface CloseReason {
    String detail();

    /** Nobody listens at the address although the machine answers: the process is gone. */
    record ConnectRefused(String detail) implements CloseReason {}

    /** No answer from the address: connect timeout, no route, unknown host. */
    record Unreachable(String detail) implements CloseReason {}

    /**
     * The two sides did not agree to speak.
     *
     * @param byPeer it was the other side that refused
     */
    record HandshakeRefused(Refusal refusal, boolean byPeer, String detail) implements CloseReason {}

    /** The peer accepted the connection but did not finish the handshake in time. */
    record HandshakeTimeout(String detail) implements CloseReason {}

    /** The connection broke or ended without a word: the process or its machine may be gone. */
    record Reset(String detail) implements CloseReason {}

    /** Nothing was received for {@link WireLimits#silenceMillis()}. */
    record Silent(String detail) implements CloseReason {}

    /** The peer broke the protocol; this side closed. */
    record ProtocolError(ProtocolFault fault, String detail) implements CloseReason {}

    /** The peer does not read: more than {@link WireLimits#maxQueuedBytes()} waited to be sent; this side closed. */
    record Overflow(String detail) implements CloseReason {}

    /** The peer closed in good order; {@code detail} holds its reason. */
    record ClosedByPeer(String detail) implements CloseReason {}

    /** This side closed: {@link Connection#close}, or the handler threw. */
    record ClosedHere(String detail) implements CloseReason {}

    /** Short label for metrics; a small fixed set. */
    default String label() {
        return switch (this) {
            case ConnectRefused _ -> "connect_refused";
            case Unreachable _ -> "unreachable";
            case HandshakeRefused r -> "handshake_" + lower(r.refusal());
            case HandshakeTimeout _ -> "handshake_timeout";
            case Reset _ -> "reset";
            case Silent _ -> "silent";
            case ProtocolError e -> "protocol_" + lower(e.fault());
            case Overflow _ -> "overflow";
            case ClosedByPeer _ -> "closed_by_peer";
            case ClosedHere _ -> "closed_here";
        };
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(java.util.Locale.ROOT);
    }
}
