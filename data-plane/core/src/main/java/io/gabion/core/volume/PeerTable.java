package io.gabion.core.volume;

import io.gabion.core.port.Event.DownReason;
import io.gabion.model.NodeName;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What this volume knows of the links to other nodes. */
final class PeerTable {
    private static final class Peer {
        boolean up;
        long sinceNanos;

        @Nullable
        DownReason reason;
    }

    private final Map<NodeName, Peer> peers = new LinkedHashMap<>();
    private final long graceNanos;
    private long startNanos;

    PeerTable(long graceNanos) {
        this.graceNanos = graceNanos;
    }

    void started(long nowNanos) {
        startNanos = nowNanos;
    }

    void up(NodeName node, long nowNanos) {
        Peer peer = peers.computeIfAbsent(node, _ -> new Peer());
        peer.up = true;
        peer.sinceNanos = nowNanos;
        peer.reason = null;
    }

    void down(NodeName node, DownReason reason, long nowNanos) {
        Peer peer = peers.computeIfAbsent(node, _ -> new Peer());
        if (peer.up || peer.reason == null) {
            peer.sinceNanos = nowNanos;
        }
        peer.up = false;
        peer.reason = reason;
    }

    boolean isUp(NodeName node) {
        Peer peer = peers.get(node);
        return peer != null && peer.up;
    }

    /** Monotonic time at which the node counts as gone for good, {@link Long#MAX_VALUE} while its link is up. */
    long goneAtNanos(NodeName node) {
        Peer peer = peers.get(node);
        if (peer == null) {
            return startNanos + graceNanos;
        }
        if (peer.up) {
            return Long.MAX_VALUE;
        }
        return peer.reason == DownReason.RESET ? peer.sinceNanos + graceNanos : peer.sinceNanos;
    }

    /** Since when the node is not reachable; only meaningful when it is not up. */
    long downSinceNanos(NodeName node) {
        Peer peer = peers.get(node);
        return peer == null ? startNanos : peer.sinceNanos;
    }

    String describe(NodeName node) {
        Peer peer = peers.get(node);
        if (peer == null) {
            return "never reached";
        }
        if (peer.up) {
            return "reachable";
        }
        return switch (peer.reason) {
            case GONE -> "process gone";
            case SILENT -> "silent";
            case RESET -> "connection lost";
            case null -> "unknown";
        };
    }
}
