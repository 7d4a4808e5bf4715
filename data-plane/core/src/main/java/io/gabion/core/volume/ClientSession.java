package io.gabion.core.volume;

import io.gabion.model.NodeName;
import io.gabion.model.SessionId;

/** The session that may write, bound to the one connection on which it was opened. */
final class ClientSession {
    final long link;
    final NodeName agent;
    final SessionId id;
    final boolean readOnly;
    boolean open = true;
    boolean announced;
    int outstandingRequests;
    long outstandingBytes;

    ClientSession(long link, NodeName agent, SessionId id, boolean readOnly) {
        this.link = link;
        this.agent = agent;
        this.id = id;
        this.readOnly = readOnly;
    }
}
