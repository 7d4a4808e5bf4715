package io.gabion.csi.host;

import org.jspecify.annotations.Nullable;

/** A program of the host could not be run, did not end in time or said no. The message is one line. */
public final class HostCommandException extends RuntimeException {
    public HostCommandException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
