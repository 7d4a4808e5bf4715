package io.gabion.agent.nbd;

import static java.util.Objects.requireNonNull;

import io.gabion.core.message.ClientMessage.Extent;
import io.gabion.core.message.Payload;
import io.gabion.model.ByteRange;
import io.gabion.wire.ByteBufPayload;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A sparse device in memory, for tests and for measuring the front end alone. Completes every command at once. */
public final class MemoryExport implements BlockExport {
    /** Unit of allocation and of the status answer. */
    private static final int CHUNK_BYTES = 64 * 1024;

    private final String name;
    private final long sizeBytes;
    private final boolean readOnly;
    private final byte[] @Nullable [] chunks;

    public MemoryExport(String name, long sizeBytes, boolean readOnly) {
        this.name = requireNonNull(name, "name is null");
        if (sizeBytes <= 0 || sizeBytes % NbdProtocol.PREFERRED_BLOCK_BYTES != 0) {
            throw new IllegalArgumentException("size must be a positive multiple of 4096 bytes: " + sizeBytes);
        }
        this.readOnly = readOnly;
        this.sizeBytes = sizeBytes;
        this.chunks = new byte[Math.toIntExact((sizeBytes + CHUNK_BYTES - 1) / CHUNK_BYTES)] @Nullable [];
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public boolean readOnly() {
        return readOnly;
    }

    @Override
    public void submit(BlockCommand command, BlockCompletion completion) {
        completion.complete(
                switch (command) {
                    case BlockCommand.Read read -> new BlockOutcome.Found(read(read.range()));
                    case BlockCommand.Write write -> {
                        write(write.range(), write.payload());
                        write.payload().release();
                        yield BlockOutcome.Done.DONE;
                    }
                    case BlockCommand.Trim trim -> zero(trim.range());
                    case BlockCommand.Zero zero -> zero(zero.range());
                    case BlockCommand.Flush flush -> BlockOutcome.Done.DONE;
                    case BlockCommand.Status status -> status(status.range());
                });
    }

    private synchronized Payload read(ByteRange range) {
        ByteBuf buffer = ByteBufAllocator.DEFAULT.directBuffer((int) range.length(), (int) range.length());
        for (long at = range.offset(); at < range.end(); ) {
            int within = (int) (at % CHUNK_BYTES);
            int length = (int) Math.min(CHUNK_BYTES - within, range.end() - at);
            byte[] chunk = chunks[(int) (at / CHUNK_BYTES)];
            if (chunk == null) {
                buffer.writeZero(length);
            } else {
                buffer.writeBytes(chunk, within, length);
            }
            at += length;
        }
        return ByteBufPayload.of(buffer);
    }

    private synchronized void write(ByteRange range, Payload payload) {
        var bytes = payload.bytes();
        for (long at = range.offset(); at < range.end(); ) {
            int within = (int) (at % CHUNK_BYTES);
            int length = (int) Math.min(CHUNK_BYTES - within, range.end() - at);
            byte[] chunk = chunks[(int) (at / CHUNK_BYTES)];
            if (chunk == null) {
                chunk = new byte[CHUNK_BYTES];
                chunks[(int) (at / CHUNK_BYTES)] = chunk;
            }
            bytes.get(chunk, within, length);
            at += length;
        }
    }

    private synchronized BlockOutcome zero(ByteRange range) {
        for (long at = range.offset(); at < range.end(); ) {
            int within = (int) (at % CHUNK_BYTES);
            int length = (int) Math.min(CHUNK_BYTES - within, range.end() - at);
            byte[] chunk = chunks[(int) (at / CHUNK_BYTES)];
            if (length == CHUNK_BYTES) {
                chunks[(int) (at / CHUNK_BYTES)] = null;
            } else if (chunk != null) {
                Arrays.fill(chunk, within, within + length, (byte) 0);
            }
            at += length;
        }
        return BlockOutcome.Done.DONE;
    }

    private synchronized BlockOutcome status(ByteRange range) {
        List<Extent> extents = new ArrayList<>();
        long start = range.offset();
        boolean hole = chunks[(int) (start / CHUNK_BYTES)] == null;
        for (long at = start; at < range.end(); at = (at / CHUNK_BYTES + 1) * CHUNK_BYTES) {
            boolean holeHere = chunks[(int) (at / CHUNK_BYTES)] == null;
            if (holeHere != hole) {
                extents.add(new Extent(at - start, hole));
                start = at;
                hole = holeHere;
            }
        }
        extents.add(new Extent(range.end() - start, hole));
        return new BlockOutcome.Allocation(extents);
    }
}
