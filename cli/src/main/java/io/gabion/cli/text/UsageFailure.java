package io.gabion.cli.text;

/** An option's value makes no sense; the message names the option and the remedy. Exit code 2. */
public final class UsageFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    public UsageFailure(String message) {
        super(message);
    }
}
