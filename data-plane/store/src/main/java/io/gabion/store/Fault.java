package io.gabion.store;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Whether the disk failed. The first reason stays; nothing becomes durable afterwards. Belongs to the owner loop. */
final class Fault {
    private final Consumer<String> listener;
    private @Nullable String reason;

    Fault(Consumer<String> listener) {
        this.listener = listener;
    }

    boolean isSet() {
        return reason != null;
    }

    String reason() {
        return reason == null ? "" : reason;
    }

    void set(String newReason) {
        if (reason == null) {
            reason = newReason;
            listener.accept(newReason);
        }
    }
}
