package io.gabion.csi.backend;

import org.jspecify.annotations.Nullable;

/** The cluster could not be asked or did not answer: nothing is known about the outcome; the same call may be repeated. */
public final class BackendUnavailableException extends RuntimeException {
    public BackendUnavailableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
