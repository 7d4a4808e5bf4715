package io.gabion.core.session;

import io.gabion.core.message.Payload;

/** The few things the session needs done with bytes, which it never looks at itself. Arguments stay owned by the caller; results belong to it. */
public interface PayloadEditor {
    /** Bytes {@code [offset, offset + length)} of {@code source}. */
    Payload slice(Payload source, int offset, int length);

    /** A copy of {@code block} with {@code patch} laid over it at {@code offset}. */
    Payload patched(Payload block, int offset, Payload patch);

    /** A copy of {@code block} with {@code length} zeros at {@code offset}. */
    Payload zeroed(Payload block, int offset, int length);
}
