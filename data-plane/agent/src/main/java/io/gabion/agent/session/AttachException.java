package io.gabion.agent.session;

/** A volume cannot be attached or detached; the message says why, for people. */
public final class AttachException extends Exception {
    /** What kind of obstacle. */
    public enum Kind {
        /** What was asked for contradicts what is attached. */
        CONFLICT,
        /** Nothing is attached by that name. */
        ABSENT,
        /** The session did not open in time. */
        TIMEOUT,
        /** Another agent owns the volume. */
        FENCED,
        /** This machine could not do it. */
        LOCAL
    }

    private final Kind kind;

    public AttachException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public AttachException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
