package io.gabion.simulator.cluster;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.port.Notice;
import io.gabion.core.port.SnapshotOutcome;

/** Looks over the shoulder of every node: the place of checks that look at all of them at once. */
public interface Observer {
    /** A node answers a client; called before the answer leaves. */
    void answered(String node, ClientMessage.Response response);

    void noticed(String node, Notice notice);

    /** A node says what became of a wish to take or delete a snapshot. */
    void snapshotAnswered(String node, long call, SnapshotOutcome outcome);

    /** A replica's digest at verification point {@code id}. */
    void digested(String node, long id, long digest);
}
