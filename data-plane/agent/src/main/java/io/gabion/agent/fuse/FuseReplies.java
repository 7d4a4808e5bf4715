package io.gabion.agent.fuse;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.gabion.agent.linux.Errno;
import io.gabion.agent.linux.SystemCalls;
import io.gabion.core.message.Payload;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes answers to the kernel; any thread. The kernel takes each answer as one write. */
final class FuseReplies {
    private static final Logger LOG = LoggerFactory.getLogger(FuseReplies.class);
    /** Longest answer that is not data: a directory of three names is far shorter. */
    static final int MAX_SMALL_BYTES = 256;
    /** Header and pieces: a read touches two aligned windows at most, three leave room. */
    static final int MAX_PIECES = 4;

    private static final int VECTOR_BYTES = 16;
    private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

    /** Memory for one answer; written before the call, so that the kernel never finds it missing. */
    private static final class Scratch {
        private final Arena arena = Arena.ofAuto();
        private final MemorySegment small = arena.allocate(FuseProtocol.OUT_HEADER_BYTES + MAX_SMALL_BYTES, Long.BYTES);
        private final MemorySegment vectors = arena.allocate((MAX_PIECES + 1L) * VECTOR_BYTES, Long.BYTES);

        void header(long length, int error, long unique) {
            small.set(JAVA_INT, 0, Math.toIntExact(length));
            small.set(JAVA_INT, Integer.BYTES, error);
            small.set(JAVA_LONG, Long.BYTES, unique);
        }
    }

    private final int descriptor;
    private volatile @Nullable RequestTable table;

    FuseReplies(int descriptor) {
        this.descriptor = descriptor;
    }

    /** From now on outcomes are noted there before they are told. */
    void noteIn(RequestTable requests) {
        table = requests;
    }

    private void tell(long unique, int errno, Runnable answer) {
        RequestTable requests = table;
        if (requests == null) {
            answer.run();
            return;
        }
        requests.outcome(unique, errno);
        answer.run();
        requests.answered(unique);
    }

    /** Fills the body of an answer. */
    @FunctionalInterface
    interface Body {
        /** {@code body} is zeroed and as long as was asked for. */
        void fill(MemorySegment body);
    }

    void done(long unique) {
        failed(unique, 0);
    }

    /** @param errno positive, 0 for success without a body */
    void failed(long unique, int errno) {
        tell(unique, errno, () -> {
            Scratch scratch = SCRATCH.get();
            scratch.header(FuseProtocol.OUT_HEADER_BYTES, -errno, unique);
            write(scratch.small, FuseProtocol.OUT_HEADER_BYTES);
        });
    }

    void body(long unique, int length, Body body) {
        tell(unique, 0, () -> {
            Scratch scratch = SCRATCH.get();
            long total = (long) FuseProtocol.OUT_HEADER_BYTES + length;
            scratch.header(total, 0, unique);
            MemorySegment area = scratch.small.asSlice(FuseProtocol.OUT_HEADER_BYTES, length);
            area.fill((byte) 0);
            body.fill(area);
            write(scratch.small, total);
        });
    }

    /** To a write of so many bytes. */
    void written(long unique, int length) {
        body(unique, FuseProtocol.WRITE_OUT_BYTES, body -> body.set(ValueLayout.JAVA_INT_UNALIGNED, 0, length));
    }

    /** The bytes of all pieces, one after the other; at most {@link #MAX_PIECES}. The caller keeps its references. */
    void data(long unique, List<Payload> pieces) {
        tell(unique, 0, () -> writeData(unique, pieces));
    }

    private void writeData(long unique, List<Payload> pieces) {
        Scratch scratch = SCRATCH.get();
        long total = FuseProtocol.OUT_HEADER_BYTES;
        try (Arena copies = Arena.ofConfined()) {
            vector(scratch, 0, scratch.small, FuseProtocol.OUT_HEADER_BYTES);
            int count = 1;
            for (Payload piece : pieces) {
                ByteBuffer bytes = piece.bytes();
                MemorySegment segment = MemorySegment.ofBuffer(bytes);
                if (!segment.isNative()) {
                    segment = copies.allocate(segment.byteSize()).copyFrom(segment);
                }
                vector(scratch, count++, segment, segment.byteSize());
                total += segment.byteSize();
            }
            scratch.header(total, 0, unique);
            accepted(SystemCalls.writev(descriptor, scratch.vectors, count), total);
        }
    }

    private static void vector(Scratch scratch, int index, MemorySegment segment, long length) {
        scratch.vectors.set(ADDRESS, (long) index * VECTOR_BYTES, segment);
        scratch.vectors.set(JAVA_LONG, (long) index * VECTOR_BYTES + Long.BYTES, length);
    }

    /** Asks for all requests that were read on this connection and not answered; false where the kernel cannot. */
    boolean askForAllAgain() {
        Scratch scratch = SCRATCH.get();
        // A notification: number 0, and the kind where answers have their error.
        scratch.header(FuseProtocol.OUT_HEADER_BYTES, FuseProtocol.NOTIFY_RESEND, 0);
        return SystemCalls.write(descriptor, scratch.small, FuseProtocol.OUT_HEADER_BYTES) >= 0;
    }

    private void write(MemorySegment answer, long length) {
        accepted(SystemCalls.write(descriptor, answer, length), length);
    }

    private static void accepted(long result, long length) {
        // Gone requests (ENOENT: interrupted) and gone connections (ENODEV, EPERM) need no answer any more.
        boolean expected =
                result == length || result == -Errno.ENOENT || result == -Errno.ENODEV || result == -Errno.EPERM;
        if (!expected) {
            LOG.error("the kernel refused an answer of {} bytes: {}", length, Errno.text((int) -result));
        }
    }
}
