package io.gabion.simulator.disk;

import java.util.TreeMap;

/** Knows the payloads of which one process still owns references: what is left when it is idle has leaked. */
public final class PayloadLedger {
    private final TreeMap<Long, StampPayload> live = new TreeMap<>();
    private long opened;

    long opened(StampPayload payload) {
        opened++;
        live.put(opened, payload);
        return opened;
    }

    void closed(long number) {
        live.remove(number);
    }

    /** Payloads that still have an owner. */
    public long live() {
        return live.size();
    }

    @Override
    public String toString() {
        return live.values().toString();
    }
}
