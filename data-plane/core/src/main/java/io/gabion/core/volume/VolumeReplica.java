package io.gabion.core.volume;

import io.gabion.core.port.EffectSink;
import io.gabion.core.port.Event;
import io.gabion.core.port.PeerLeases;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import java.util.List;
import java.util.Optional;

/** The replica of one volume on one node. */
public final class VolumeReplica {
    private final VolumeId volume;

    /** @param seed of the jitter that keeps candidates from promoting themselves at the same moment */
    public VolumeReplica(VolumeId volume, NodeName self, ReplicaSettings settings, PeerLeases leases, long seed) {
        this.volume = volume;
    }

    /** Takes one event at monotonic time {@code nowNanos} and emits what has to be done, in order. */
    public void step(Event event, long nowNanos, EffectSink effects) {}

    /** When the next {@link Event.Tick} is wanted, {@link Long#MAX_VALUE} for never. */
    public long nextDeadlineNanos() {
        return Long.MAX_VALUE;
    }

    /** A snapshot for people; cheap enough for every scrape. */
    public ReplicaView view() {
        return new ReplicaView(
                volume,
                new ReplicaId(volume.value()),
                Optional.empty(),
                "empty",
                "under construction",
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
}
