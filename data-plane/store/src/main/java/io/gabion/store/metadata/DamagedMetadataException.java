package io.gabion.store.metadata;

import java.io.IOException;
import java.io.UncheckedIOException;

/** Stored metadata is not what was written: nothing in it can be relied on any more. */
public final class DamagedMetadataException extends UncheckedIOException {
    private static final long serialVersionUID = 1L;

    public DamagedMetadataException(String message, Throwable cause) {
        super(new IOException(message, cause));
    }
}
