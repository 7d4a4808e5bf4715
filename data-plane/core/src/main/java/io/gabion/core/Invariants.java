package io.gabion.core;

/** Assertions that stay on in production: a replica whose state contradicts the protocol stops rather than guesses. */
public final class Invariants {
    private Invariants() {}

    /** Throws {@link InvariantViolation} naming the rule when {@code condition} does not hold. */
    public static void check(boolean condition, String rule) {
        if (!condition) {
            throw new InvariantViolation(rule);
        }
    }

    /** As {@link #check(boolean, String)}; the arguments are formatted only when the rule is broken. */
    public static void check(boolean condition, String rule, Object first, Object second) {
        if (!condition) {
            throw new InvariantViolation(rule + ": " + first + ", " + second);
        }
    }

    /** A rule of the replication protocol is broken. Never caught inside the core. */
    public static final class InvariantViolation extends IllegalStateException {
        public InvariantViolation(String message) {
            super(message);
        }
    }
}
