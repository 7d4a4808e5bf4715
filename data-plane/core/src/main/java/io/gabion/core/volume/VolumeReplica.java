package io.gabion.core.volume;

import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.EffectSink;
import io.gabion.core.port.Event;
import io.gabion.core.port.PeerLeases;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The replica of one volume on one node: a state machine without clock, threads or input and output. Everything comes in by
 * {@link #step} and goes out as effects, in order. One thread owns it.
 */
public final class VolumeReplica {
    record Identity(VolumeId volume, NodeName self, ReplicaSettings settings, PeerLeases leases, long seed) {}

    private final Identity identity;
    private final PeerTable peers;
    private final SpaceGauge space = new SpaceGauge();
    private @Nullable Replica replica;
    private @Nullable Transitions transitions;

    /** @param seed of the jitter that keeps candidates from promoting themselves at the same moment, and of the names of this
     *     process's proposals: another one for every process */
    public VolumeReplica(VolumeId volume, NodeName self, ReplicaSettings settings, PeerLeases leases, long seed) {
        this.identity = new Identity(volume, self, settings, leases, seed);
        this.peers = new PeerTable(settings.graceNanos());
    }

    /** Takes one event at monotonic time {@code nowNanos} and emits what has to be done, in order. */
    public void step(Event event, long nowNanos, EffectSink effects) {
        Transitions current = transitions;
        if (current != null) {
            current.begin(nowNanos, effects);
        }
        switch (event) {
            case Event.Started started
            when current == null -> start(Start.recovered(identity, peers, space, started, nowNanos, effects));
            case Event.Create create
            when current == null -> start(Start.created(identity, peers, space, create, nowNanos, effects));
            case Event.PeerUp up -> {
                peers.up(up.node(), nowNanos);
                if (current != null) {
                    current.role().peerUp(up.node());
                }
            }
            case Event.PeerDown down -> {
                peers.down(down.node(), down.reason(), nowNanos);
                if (current != null) {
                    current.role().peerDown(down.node(), down.reason());
                    current.linkLost(down.node());
                }
            }
            case Event.SpaceAvailable available -> {
                space.available(available.freeBytes());
                if (current != null) {
                    current.role().spaceChanged();
                }
            }
            case Event other when current != null -> current.dispatch(other);
            case Event other -> Payloads.release(other);
        }
        Transitions after = transitions;
        if (after != null) {
            after.finish(event instanceof Event.Tick);
        }
    }

    private void start(Replica started) {
        replica = started;
        Transitions made = new Transitions(started);
        transitions = made;
        made.started();
    }

    /** When the next {@link Event.Tick} is wanted, {@link Long#MAX_VALUE} for never. */
    public long nextDeadlineNanos() {
        Transitions current = transitions;
        return current == null ? Long.MAX_VALUE : current.deadline();
    }

    /** A snapshot for people; cheap enough for every scrape. */
    public ReplicaView view() {
        Replica r = replica;
        if (r == null) {
            return new ReplicaView(
                    identity.volume(),
                    new ReplicaId(identity.volume().value()),
                    Optional.empty(),
                    "empty",
                    "not started",
                    0,
                    0,
                    Lsn.ZERO,
                    Lsn.ZERO,
                    Optional.empty(),
                    0,
                    0,
                    0,
                    List.of(),
                    0);
        }
        long[] resync = r.role.resyncBytes();
        long[] bytes = resync == null ? new long[3] : resync;
        return new ReplicaView(
                r.volume,
                r.me(),
                Optional.of(r.record),
                r.role.name(),
                r.role.phase(),
                r.cfg().epoch(),
                r.promised(),
                r.lastLsn,
                r.committed,
                Optional.ofNullable(r.role.stall()),
                bytes[0],
                bytes[1],
                bytes[2],
                r.role instanceof Primary primary ? primary.desk.sessions() : List.of(),
                r.role.writesInFlight());
    }

    static boolean isVolume(PeerMessage message, VolumeId volume) {
        return message.volume().equals(volume);
    }
}
