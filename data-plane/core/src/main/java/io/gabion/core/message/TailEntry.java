package io.gabion.core.message;

import static java.util.Objects.requireNonNull;

import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;

/** One durable operation as the change log knows it: which blocks it touched and whose request it was. */
public record TailEntry(Lsn lsn, ByteRange range, RequestId request) {
    public TailEntry {
        requireNonNull(lsn, "lsn is null");
        requireNonNull(range, "range is null");
        requireNonNull(request, "request is null");
    }
}
