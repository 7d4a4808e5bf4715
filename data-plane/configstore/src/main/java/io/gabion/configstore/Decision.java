package io.gabion.configstore;

import java.util.List;
import java.util.Optional;

/** What became of a {@link Request}. Answered only after everything it rests on is durable. */
sealed interface Decision {
    record Won(Change change) implements Decision {}

    /** The very same proposal was accepted earlier; its answer got lost on the way. */
    record AlreadyDone(Change change) implements Decision {}

    /** Another version stands, or none. */
    record Lost(Optional<Change> standing) implements Decision {}

    /** The change may never be. */
    record Refused(List<String> violations) implements Decision {
        public Refused {
            violations = List.copyOf(violations);
        }
    }

    /** The caller has no right to it. */
    record Denied(String reason) implements Decision {}
}
