package io.gabion.node.control;

import java.util.concurrent.atomic.AtomicLong;

/** Numbers of verifications. Unique over restarts of this node, and most likely among nodes: a primary may move meanwhile. */
public final class VerifyIds {
    private final AtomicLong last = new AtomicLong(System.currentTimeMillis() << 10);

    public long next() {
        return last.incrementAndGet();
    }
}
