package io.gabion.node;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.ClientMessage.PhaseTimes;
import io.gabion.core.message.Operation;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.Notice;
import io.gabion.model.NodeName;
import io.gabion.node.metrics.IoMeters;
import io.gabion.node.metrics.IoMeters.IoKind;
import io.gabion.node.metrics.IoMeters.Phase;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Measures one replica from its events and effects. Belongs to the replica's shard. */
final class ReplicaMeter {
    /** More than a session may have under way; what is beyond is simply not measured. */
    private static final int MAX_MEASURED = 4096;

    private static final double MICROS_PER_SECOND = 1e6;

    private final IoMeters meters;
    private final Map<Key, Started> requests = new HashMap<>();
    private final Map<NodeName, Sample> acknowledgements = new HashMap<>();
    private long degradedNanos;
    private long degradedSinceNanos = -1;

    private record Key(long link, long request) {}

    private record Started(IoKind kind, long nanos) {}

    /** One write on its way to a member; the next is measured when this one came back, which bounds the cost. */
    private record Sample(long epoch, long seq, long nanos) {}

    ReplicaMeter(IoMeters meters) {
        this.meters = meters;
    }

    // ---- clients
    int requestsWaiting() {
        return requests.size();
    }

    void requested(long link, ClientMessage.IoRequest request, long nowNanos) {
        if (requests.size() < MAX_MEASURED) {
            requests.put(new Key(link, request.request().number()), new Started(kind(request), nowNanos));
        }
    }

    private static IoKind kind(ClientMessage.IoRequest request) {
        return switch (request) {
            case ClientMessage.Write _ -> IoKind.WRITE;
            case ClientMessage.Read _ -> IoKind.READ;
            case ClientMessage.Trim _ -> IoKind.TRIM;
            case ClientMessage.Flush _ -> IoKind.FLUSH;
            case ClientMessage.BlockStatus _ -> IoKind.BLOCK_STATUS;
        };
    }

    void answered(long link, ClientMessage.Response response, long nowNanos) {
        switch (response) {
            case ClientMessage.Done done -> finished(link, done.request().number(), done.times(), nowNanos);
            case ClientMessage.ReadDone done -> finished(link, done.request().number(), done.times(), nowNanos);
            case ClientMessage.BlockStatusDone done ->
                finished(link, done.request().number(), PhaseTimes.NONE, nowNanos);
            case ClientMessage.NotPrimary _, ClientMessage.SessionFenced _ -> clientGone(link);
            case ClientMessage.Opened _, ClientMessage.NotAttached _, ClientMessage.UnknownVolume _ -> {}
        }
    }

    private void finished(long link, long request, PhaseTimes times, long nowNanos) {
        Started started = requests.remove(new Key(link, request));
        if (started == null) {
            return;
        }
        double total = (nowNanos - started.nanos()) / (double) TimeUnit.SECONDS.toNanos(1);
        meters.io(started.kind(), Phase.TOTAL, total);
        if (!times.equals(PhaseTimes.NONE)) {
            meters.io(started.kind(), Phase.QUEUE, times.queueMicros() / MICROS_PER_SECOND);
            meters.io(started.kind(), Phase.LOCAL, times.localMicros() / MICROS_PER_SECOND);
            if (started.kind() != IoKind.READ) {
                meters.io(started.kind(), Phase.REPLICA, times.replicaMicros() / MICROS_PER_SECOND);
            }
        }
    }

    void clientGone(long link) {
        requests.keySet().removeIf(key -> key.link() == link);
    }

    // ---- peers
    void sent(NodeName node, PeerMessage message, long nowNanos) {
        if (message instanceof PeerMessage.Replicate replicate && replicate.operation() instanceof Operation.Write) {
            acknowledgements.putIfAbsent(node, new Sample(replicate.epoch(), replicate.seq(), nowNanos));
        }
    }

    void received(NodeName node, PeerMessage message, long nowNanos) {
        if (!(message instanceof PeerMessage.Durable durable)) {
            return;
        }
        Sample sample = acknowledgements.get(node);
        if (sample == null) {
            return;
        }
        if (durable.epoch() != sample.epoch()) {
            acknowledgements.remove(node);
        } else if (durable.seq() >= sample.seq()) {
            acknowledgements.remove(node);
            meters.acknowledged(node.value(), (nowNanos - sample.nanos()) / (double) TimeUnit.SECONDS.toNanos(1));
        }
    }

    void peerDown(NodeName node) {
        acknowledgements.remove(node);
    }

    // ---- redundancy
    /** @param desired copies that the volume should have, 0 when not known */
    void noticed(Notice notice, int desired, long nowNanos) {
        if (notice instanceof Notice.Deposed) {
            degraded(false, nowNanos);
            acknowledgements.clear();
        } else if (notice instanceof Notice.Activated activated) {
            degraded(activated.inSync().size() < desired, nowNanos);
        }
    }

    /** Told whenever somebody looks: is this the primary of a volume with fewer copies in sync than wanted? */
    void degraded(boolean isDegraded, long nowNanos) {
        if (degradedSinceNanos >= 0) {
            degradedNanos += nowNanos - degradedSinceNanos;
        }
        degradedSinceNanos = isDegraded ? nowNanos : -1;
    }

    double degradedSeconds() {
        return degradedNanos / (double) TimeUnit.SECONDS.toNanos(1);
    }
}
