package io.gabion.process;

/** A command line is wrong; the message names the option and what it should be. */
public final class UsageException extends Exception {
    public UsageException(String message) {
        super(message);
    }
}
