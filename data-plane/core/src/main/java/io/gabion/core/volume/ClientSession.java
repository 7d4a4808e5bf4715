package io.gabion.core.volume;

import io.gabion.model.NodeName;
import io.gabion.model.SessionId;
import java.util.LinkedHashSet;
import java.util.Set;

/** The session that may write, bound to the one connection on which it was opened. */
final class ClientSession {
    final long link;
    final NodeName agent;
    final SessionId id;
    final boolean readOnly;
    private final Set<Long> replaced = new LinkedHashSet<>();
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

    /** The other session's client is told that it was replaced when, and only when, this session is committed. */
    void replace(ClientSession other) {
        if (!other.announced) {
            other.replaced.stream().filter(replacedLink -> replacedLink != link).forEach(replaced::add);
        }
        if (other.link != link) {
            replaced.add(other.link);
        }
    }

    /** Bounded by the links of one volume: a link that opens again leaves the list. */
    Set<Long> replacedLinks() {
        return replaced;
    }
}
