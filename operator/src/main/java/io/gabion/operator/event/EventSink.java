package io.gabion.operator.event;

import io.fabric8.kubernetes.api.model.ObjectReference;

/** Where news for people go. Never fails: an Event that cannot be written is logged. */
public interface EventSink {
    /** Whether somebody should care. */
    enum Kind {
        NORMAL("Normal"),
        WARNING("Warning");

        private final String word;

        Kind(String word) {
            this.word = word;
        }

        public String word() {
            return word;
        }
    }

    void tell(ObjectReference about, Kind kind, String reason, String message);
}
