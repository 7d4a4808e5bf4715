package io.gabion.agent.session;

import io.gabion.core.message.Payload;
import io.gabion.core.session.PayloadEditor;
import io.gabion.wire.ByteBufPayload;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/** Edits payloads in Netty's buffers; a slice of a network buffer shares its memory. */
final class BufferEditor implements PayloadEditor {
    private final ByteBufAllocator allocator;

    BufferEditor(ByteBufAllocator allocator) {
        this.allocator = allocator;
    }

    @Override
    public Payload slice(Payload source, int offset, int length) {
        if (source instanceof ByteBufPayload inBuffer) {
            ByteBuf buffer = inBuffer.buffer();
            return ByteBufPayload.of(buffer.retainedSlice(buffer.readerIndex() + offset, length));
        }
        return ByteBufPayload.of(
                allocator.directBuffer(length, length).writeBytes(source.bytes().slice(offset, length)));
    }

    @Override
    public Payload patched(Payload block, int offset, Payload patch) {
        ByteBuf copy = copyOf(block);
        copy.setBytes(offset, patch.bytes());
        return ByteBufPayload.of(copy);
    }

    @Override
    public Payload zeroed(Payload block, int offset, int length) {
        ByteBuf copy = copyOf(block);
        copy.setZero(offset, length);
        return ByteBufPayload.of(copy);
    }

    private ByteBuf copyOf(Payload block) {
        return allocator.directBuffer(block.length(), block.length()).writeBytes(block.bytes());
    }
}
