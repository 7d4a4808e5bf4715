package io.gabion.simulator.disk;

/** Counts the payload references that one process owns: what is left when it is idle has leaked. */
public final class PayloadLedger {
    private long live;

    void opened() {
        live++;
    }

    void closed() {
        live--;
    }

    /** Payloads that still have an owner. */
    public long live() {
        return live;
    }
}
