package io.gabion.store.metadata;

/** Bytes whose checksum is right do not have the shape of the format: a defect or a foreign version. */
public final class MalformedMetadataException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    public MalformedMetadataException(String message) {
        super(message);
    }
}
