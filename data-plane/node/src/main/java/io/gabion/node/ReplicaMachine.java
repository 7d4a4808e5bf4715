package io.gabion.node;

import io.gabion.core.port.EffectSink;
import io.gabion.core.port.Event;
import io.gabion.core.volume.ReplicaView;
import io.gabion.core.volume.VolumeReplica;

/** The state machine behind a hosted replica. */
interface ReplicaMachine {
    void step(Event event, long nowNanos, EffectSink effects);

    long nextDeadlineNanos();

    ReplicaView view();

    static ReplicaMachine of(VolumeReplica replica) {
        return new ReplicaMachine() {
            @Override
            public void step(Event event, long nowNanos, EffectSink effects) {
                replica.step(event, nowNanos, effects);
            }

            @Override
            public long nextDeadlineNanos() {
                return replica.nextDeadlineNanos();
            }

            @Override
            public ReplicaView view() {
                return replica.view();
            }
        };
    }
}
