package io.gabion.wire;

import static java.util.Objects.requireNonNull;

/** Answer of an {@link Acceptor}. */
public sealed interface Admission {
    /** {@code handler} serves this connection. */
    record Accepted(ConnectionHandler handler) implements Admission {
        public Accepted {
            requireNonNull(handler, "handler is null");
        }
    }

    /** The peer is told {@code refusal} and {@code detail}. */
    record Refused(Refusal refusal, String detail) implements Admission {
        public Refused {
            requireNonNull(refusal, "refusal is null");
            requireNonNull(detail, "detail is null");
        }
    }
}
