package io.gabion.wire;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.NodeMessage;
import io.gabion.core.message.PeerMessage;
import io.gabion.model.NodeName;

/**
 * One connection to a known peer, first in, first out in both directions, bound to one {@link WireLoop} for its life.
 *
 * <p>{@code send} never blocks and may be called from any thread; from the connection's own loop it is cheapest. What is sent
 * in one turn of the loop leaves in one flush at its end. {@code send} takes over one reference of every payload in the
 * message and releases it when it was written or can no longer be. Sending on a closed connection releases and does nothing
 * else. A message that breaks the limits of {@code docs/wire-format.md} throws {@link IllegalArgumentException}: a mistake of
 * the caller (payloads are released then as well).
 */
public interface Connection {
    /** What the peer said of itself, proven by its certificate. */
    Hello peer();

    default NodeName peerName() {
        return peer().node();
    }

    default Role peerRole() {
        return peer().role();
    }

    /** The negotiated version of the protocol. */
    int protocolVersion();

    /** True on the side that called {@link WireClient#connect}. */
    boolean outbound();

    /** Host and port of the peer, for messages to people. */
    String remoteAddress();

    /** Between two storage nodes only. */
    void send(PeerMessage message);

    /** Between two storage nodes only. */
    void send(NodeMessage message);

    /** A {@link ClientMessage.Request} from an agent to a node, a {@link ClientMessage.Response} from a node to an agent. */
    void send(ClientMessage message);

    /**
     * Sends what was queued and a good-bye with {@code reason}, then closes. The handler's {@code closed} follows. Does
     * nothing when closed already. Any thread.
     */
    void close(String reason);

    /** False while more than the high-water mark is queued; {@link ConnectionHandler#writabilityChanged} tells. Any thread. */
    boolean isWritable();

    /** Until closed or broken. Any thread. */
    boolean isOpen();

    /** Stops reading after the current batch, so that the peer feels back-pressure; counts nothing. Any thread. */
    void pauseReading();

    void resumeReading();

    /** The loop on which all callbacks of the handler run. */
    WireLoop loop();
}
