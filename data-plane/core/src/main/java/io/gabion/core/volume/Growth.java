package io.gabion.core.volume;

import io.gabion.core.message.Operation;
import io.gabion.model.VolumeConfig;

/** Lets the volume grow: first every member makes room, durably, then the configuration says so. */
final class Growth {
    private final Primary p;
    private final Replica r;
    private long growingTo;
    private long grownTo;

    Growth(Primary primary) {
        this.p = primary;
        this.r = primary.r;
    }

    void epochEnds() {
        growingTo = 0;
    }

    void committed(long sizeBytes) {
        grownTo = sizeBytes;
    }

    void evaluate(VolumeConfig c) {
        long wanted = r.record.spec().sizeBytes();
        if (grownTo > c.sizeBytes()) {
            r.config.propose(r.record.withConfig(c.withSizeBytes(grownTo, r.config.newWriter())));
        } else if (wanted > c.sizeBytes() && growingTo < wanted) {
            growingTo = wanted;
            p.sequence(new WindowEntry(p, new Operation.Grow(wanted), null, r.now));
        }
    }
}
