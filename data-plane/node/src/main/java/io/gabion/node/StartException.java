package io.gabion.node;

import java.io.IOException;

/** The process cannot start; the message is one line for people that names what is wrong and the remedy. */
public final class StartException extends IOException {
    public StartException(String message) {
        super(message);
    }

    public StartException(String message, Throwable cause) {
        super(message, cause);
    }
}
