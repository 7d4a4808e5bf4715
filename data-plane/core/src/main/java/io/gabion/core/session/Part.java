package io.gabion.core.session;

import io.gabion.core.message.Payload;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One message's worth of a request: whole blocks. A part that changes only some bytes of a block first reads the block
 * ({@link Kind#PATCH}), and then becomes a write of it.
 */
final class Part {
    enum Kind {
        READ,
        WRITE,
        TRIM,
        FLUSH,
        STATUS,
        /** Reading the block that will be patched. */
        PATCH
    }

    final Pending request;
    final ByteRange blocks;
    /** Bytes to replace within the block, for PATCH. */
    final ByteRange patch;

    private Kind kind;
    /** Owned: the new content (WRITE), or the bytes to lay over the block (PATCH; null = zeros). */
    private @Nullable Payload payload;

    /** True from when it was sent again on a new connection until it is answered. */
    boolean resent;

    private Part(Pending request, Kind kind, ByteRange blocks, ByteRange patch, @Nullable Payload payload) {
        this.request = request;
        this.kind = kind;
        this.blocks = blocks;
        this.patch = patch;
        this.payload = payload;
    }

    Kind kind() {
        return kind;
    }

    @Nullable
    Payload payload() {
        return payload;
    }

    boolean mutates() {
        return kind == Kind.WRITE || kind == Kind.TRIM;
    }

    boolean isPatching() {
        return patch.length() > 0;
    }

    long payloadBytes() {
        return kind == Kind.WRITE || kind == Kind.READ ? blocks.length() : 0;
    }

    /** The block was read: from here on this is a write of {@code newContent}. */
    void becomeWrite(Payload newContent) {
        release();
        kind = Kind.WRITE;
        payload = newContent;
    }

    void release() {
        Payload owned = payload;
        payload = null;
        if (owned != null) {
            owned.release();
        }
    }

    /** Splits a request. An empty list means that there is nothing to do. */
    static List<Part> of(Pending pending, PayloadEditor editor) {
        BlockRequest request = pending.request;
        return switch (request.kind()) {
            case FLUSH -> List.of(new Part(pending, Kind.FLUSH, request.range(), NO_PATCH, null));
            case READ -> List.of(new Part(pending, Kind.READ, outward(request.range()), NO_PATCH, null));
            case STATUS -> List.of(new Part(pending, Kind.STATUS, outward(request.range()), NO_PATCH, null));
            case TRIM -> {
                ByteRange whole = inward(request.range());
                yield whole.isEmpty() ? List.of() : List.of(new Part(pending, Kind.TRIM, whole, NO_PATCH, null));
            }
            case WRITE, ZERO -> mutation(pending, editor);
        };
    }

    private static List<Part> mutation(Pending pending, PayloadEditor editor) {
        ByteRange range = pending.request.range();
        Payload content = pending.request.payload().orElse(null);
        List<Part> parts = new ArrayList<>(3);
        ByteRange middle = inward(range);
        if (range.isBlockAligned()) {
            parts.add(whole(pending, range, content == null ? null : content.retain()));
        } else {
            long headEnd = middle.isEmpty() ? Math.min(range.end(), blockEnd(range.offset())) : middle.offset();
            addPatch(parts, pending, editor, new ByteRange(range.offset(), headEnd - range.offset()));
            if (!middle.isEmpty()) {
                int at = Math.toIntExact(middle.offset() - range.offset());
                parts.add(whole(
                        pending,
                        middle,
                        content == null ? null : editor.slice(content, at, Math.toIntExact(middle.length()))));
            }
            long tailStart = middle.isEmpty() ? headEnd : middle.end();
            addPatch(parts, pending, editor, new ByteRange(tailStart, range.end() - tailStart));
        }
        return parts;
    }

    private static Part whole(Pending pending, ByteRange range, @Nullable Payload content) {
        return new Part(pending, content == null ? Kind.TRIM : Kind.WRITE, range, NO_PATCH, content);
    }

    private static void addPatch(List<Part> parts, Pending pending, PayloadEditor editor, ByteRange bytes) {
        if (bytes.isEmpty()) {
            return;
        }
        Payload content = pending.request.payload().orElse(null);
        int at = Math.toIntExact(bytes.offset() - pending.request.range().offset());
        Payload slice = content == null ? null : editor.slice(content, at, Math.toIntExact(bytes.length()));
        ByteRange block = outward(bytes);
        parts.add(new Part(
                pending, Kind.PATCH, block, new ByteRange(bytes.offset() - block.offset(), bytes.length()), slice));
    }

    /** The patched block, given what was read. */
    Payload patched(PayloadEditor editor, Payload block) {
        int at = Math.toIntExact(patch.offset());
        Payload overlay = payload;
        return overlay == null
                ? editor.zeroed(block, at, Math.toIntExact(patch.length()))
                : editor.patched(block, at, overlay);
    }

    private static long blockEnd(long offset) {
        return (offset / BlockGeometry.BLOCK_BYTES + 1) * BlockGeometry.BLOCK_BYTES;
    }

    static ByteRange outward(ByteRange range) {
        long start = range.offset() / BlockGeometry.BLOCK_BYTES * BlockGeometry.BLOCK_BYTES;
        long end =
                (range.end() + BlockGeometry.BLOCK_BYTES - 1) / BlockGeometry.BLOCK_BYTES * BlockGeometry.BLOCK_BYTES;
        return new ByteRange(start, end - start);
    }

    static ByteRange inward(ByteRange range) {
        long start = (range.offset() + BlockGeometry.BLOCK_BYTES - 1)
                / BlockGeometry.BLOCK_BYTES
                * BlockGeometry.BLOCK_BYTES;
        long end = range.end() / BlockGeometry.BLOCK_BYTES * BlockGeometry.BLOCK_BYTES;
        return end <= start ? new ByteRange(start, 0) : new ByteRange(start, end - start);
    }

    private static final ByteRange NO_PATCH = new ByteRange(0, 0);
}
