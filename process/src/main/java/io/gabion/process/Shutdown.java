package io.gabion.process;

import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends the parts of a process. */
public final class Shutdown {
    private static final Logger LOG = LoggerFactory.getLogger(Shutdown.class);

    private Shutdown() {}

    /** Takes and closes one after the other from the first on; one that fails keeps none from its end. */
    public static void of(Deque<AutoCloseable> parts) {
        for (AutoCloseable each = parts.poll(); each != null; each = parts.poll()) {
            try {
                each.close();
            } catch (Exception e) {
                LOG.warn("stopping {}: {}", each, e.toString());
            }
        }
    }
}
