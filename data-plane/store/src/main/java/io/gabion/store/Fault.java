package io.gabion.store;

import io.gabion.store.metadata.DamagedMetadataException;
import io.gabion.store.metadata.MalformedMetadataException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/** Whether the disk failed. The first reason stays; nothing becomes durable afterwards. Belongs to the owner loop. */
final class Fault {
    private final Listener listener;
    private @Nullable String reason;

    /** Told once. */
    interface Listener {
        /** The index is damaged when {@code beyondRepair}: opening the disk anew does not help. */
        void failed(String reason, boolean beyondRepair);
    }

    Fault(Listener listener) {
        this.listener = listener;
    }

    boolean isSet() {
        return reason != null;
    }

    String reason() {
        return reason == null ? "" : reason;
    }

    void set(String newReason) {
        set(newReason, false);
    }

    /** {@code what} failed with {@code problem}. */
    void set(String what, RuntimeException problem) {
        set(what + ": " + problem.getMessage(), problem instanceof DamagedMetadataException);
    }

    /** A part of the index could not be read: what is needed for a read now is needed for a write later. */
    void index(RuntimeException problem) {
        if (problem instanceof UncheckedIOException || problem instanceof MalformedMetadataException) {
            set("the index could not be read", problem);
        }
    }

    private void set(String newReason, boolean beyondRepair) {
        if (reason == null) {
            reason = newReason;
            listener.failed(newReason, beyondRepair);
        }
    }
}
