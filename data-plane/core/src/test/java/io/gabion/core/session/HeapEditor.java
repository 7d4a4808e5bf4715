package io.gabion.core.session;

import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.Payload;
import java.util.Arrays;

/** Edits payloads by copying, for tests. */
final class HeapEditor implements PayloadEditor {
    static byte[] content(Payload payload) {
        byte[] bytes = new byte[payload.length()];
        payload.bytes().get(bytes);
        return bytes;
    }

    @Override
    public Payload slice(Payload source, int offset, int length) {
        return HeapPayload.of(Arrays.copyOfRange(content(source), offset, offset + length));
    }

    @Override
    public Payload patched(Payload block, int offset, Payload patch) {
        byte[] bytes = content(block);
        System.arraycopy(content(patch), 0, bytes, offset, patch.length());
        return HeapPayload.of(bytes);
    }

    @Override
    public Payload zeroed(Payload block, int offset, int length) {
        byte[] bytes = content(block);
        Arrays.fill(bytes, offset, offset + length, (byte) 0);
        return HeapPayload.of(bytes);
    }
}
