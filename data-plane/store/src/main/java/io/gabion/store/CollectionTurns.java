package io.gabion.store;

import java.util.concurrent.Executor;

/** Collects what nobody sees any more between everything else that happens on the owner loop, a little in each turn. */
final class CollectionTurns {
    /** Entries of deleted replicas and snapshots looked at in one turn of the loop. */
    private static final int ENTRIES = 512;

    private final Executor loop;
    private final DiskIndex index;
    private final Checkpoints checkpoints;
    private final Fault fault;
    private boolean scheduled;
    private boolean stopped;

    CollectionTurns(Engine engine, Checkpoints checkpoints) {
        this.loop = engine.loop();
        this.index = engine.index();
        this.checkpoints = checkpoints;
        this.fault = engine.notifier().fault();
    }

    /** No turn begins any more; for a shutdown. */
    void stop() {
        stopped = true;
    }

    boolean isRunning() {
        return scheduled;
    }

    /** Goes on if there is something to collect. */
    void check() {
        if (scheduled || stopped || fault.isSet() || !index.hasCollectable()) {
            return;
        }
        scheduled = true;
        loop.execute(this::turn);
    }

    private void turn() {
        scheduled = false;
        if (fault.isSet() || !index.hasCollectable()) {
            return;
        }
        try {
            index.collect(ENTRIES);
            if (index.hasCollectable()) {
                checkpoints.logged(0);
            } else {
                checkpoints.returnFreed();
            }
        } catch (RuntimeException e) {
            fault.set("collecting what nobody sees failed", e);
        }
        check();
    }
}
