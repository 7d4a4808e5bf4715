package io.gabion.cli.text;

/** The command cannot do what was asked; the message is one line that names the peer or thing and the remedy. Exit code 1. */
public final class CommandFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    public CommandFailure(String message) {
        super(message);
    }

    public CommandFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
