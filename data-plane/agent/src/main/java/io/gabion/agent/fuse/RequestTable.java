package io.gabion.agent.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was read on one connection and is not answered, in a file that outlives this process: for kernels that cannot send it
 * again (before Linux 6.9). Requests are read straight into the mapped file, so that at no moment one is known to a process alone.
 *
 * <p>A request's outcome is noted before its answer is sent. So after a kill each request is one of three: not noted, it is
 * carried out (again: a write that nobody was told of may be repeated); noted, only its answer is sent again, because what
 * follows it in the same place may have been written since; answered, then its slot is empty or the kernel does not know it any
 * more.
 *
 * <p>Layout: a page of states, one number for each slot; then the slots, each as long as the longest request. Thread-safe.
 */
final class RequestTable {
    private static final Logger LOG = LoggerFactory.getLogger(RequestTable.class);
    /** More than the kernel has on its way to here: its own limit and some requests that it does not count. */
    static final int SLOTS = FuseVolume.MAX_BACKGROUND + 16;

    private static final int PAGE_BYTES = 4096;
    private static final int SLOT_BYTES = FuseReaders.BUFFER_BYTES;
    private static final long FILE_BYTES = PAGE_BYTES + (long) SLOTS * SLOT_BYTES;

    private static final int EMPTY = 0;
    private static final int READ = 1;
    /** Plus the error number that is answered. */
    private static final int NOTED = 0x10000;

    private static final VarHandle STATE = JAVA_INT.varHandle();

    private final Path file;
    private final FileChannel channel;
    private final MemorySegment memory;
    private final Map<Long, Integer> slotsByNumber = new ConcurrentHashMap<>();

    // Guarded by this.
    private final Deque<Integer> free = new ArrayDeque<>();
    private final boolean[] backed = new boolean[SLOTS];

    private RequestTable(Path file, FileChannel channel, MemorySegment memory) {
        this.file = file;
        this.channel = channel;
        this.memory = memory;
    }

    /** An empty one; takes the place of an earlier file. */
    static RequestTable create(Path file) throws IOException {
        Files.deleteIfExists(file);
        Files.createDirectories(
                requireNonNull(file.getParent(), "file has no directory"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        RequestTable table = map(file);
        for (int slot = SLOTS - 1; slot >= 0; slot--) {
            table.free.push(slot);
        }
        return table;
    }

    /** What an earlier process left; empty where there is no file. */
    static Optional<RequestTable> open(Path file) throws IOException {
        RequestTable table;
        try {
            table = map(file);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        for (int slot = SLOTS - 1; slot >= 0; slot--) {
            if (table.state(slot) != EMPTY && table.message(slot) != null) {
                table.backed[slot] = true;
                table.slotsByNumber.put(FuseRequest.uniqueOf(table.buffer(slot)), slot);
            } else {
                table.state(slot, EMPTY);
                table.free.push(slot);
            }
        }
        return Optional.of(table);
    }

    private static RequestTable map(Path file) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            // Never unmapped by hand: a reader may be in it.
            return new RequestTable(
                    file, channel, channel.map(FileChannel.MapMode.READ_WRITE, 0, FILE_BYTES, Arena.ofAuto()));
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private int state(int slot) {
        return (int) STATE.getVolatile(memory, (long) slot * Integer.BYTES);
    }

    private void state(int slot, int state) {
        STATE.setVolatile(memory, (long) slot * Integer.BYTES, state);
    }

    /** Where the next request of this slot is read to. */
    MemorySegment buffer(int slot) {
        return memory.asSlice(PAGE_BYTES + (long) slot * SLOT_BYTES, SLOT_BYTES);
    }

    /** An empty slot; -1 when there is none now. */
    int take() {
        synchronized (this) {
            Integer slot = free.poll();
            if (slot == null) {
                return -1;
            }
            if (!backed[slot] && !back(slot)) {
                free.addLast(slot);
                return -1;
            }
            // A process that is killed in the very call that reads leaves the number as a sign of whether it succeeded.
            FuseRequest.clear(buffer(slot));
            state(slot, READ);
            return slot;
        }
    }

    /** Memory that the kernel finds in place: it drops a request that it cannot copy because the reader is being killed. */
    private boolean back(int slot) {
        try {
            ByteBuffer zeros = ByteBuffer.allocateDirect(SLOT_BYTES);
            long at = PAGE_BYTES + (long) slot * SLOT_BYTES;
            while (zeros.hasRemaining()) {
                at += channel.write(zeros, at);
            }
            buffer(slot).fill((byte) 0);
            backed[slot] = true;
            return true;
        } catch (IOException e) {
            LOG.error("no room for requests in {}: {}", file, e.getMessage());
            return false;
        }
    }

    synchronized boolean hasFree() {
        return !free.isEmpty();
    }

    /** Nothing was read, or nothing that is answered. */
    void giveBack(int slot) {
        state(slot, EMPTY);
        synchronized (this) {
            free.push(slot);
        }
    }

    /** This request was read into the slot. */
    void read(int slot, long unique) {
        slotsByNumber.put(unique, slot);
    }

    /** The request is carried out; its answer follows. Requests that are not in the table are none of its business. */
    void outcome(long unique, int errno) {
        Integer slot = slotsByNumber.get(unique);
        if (slot != null) {
            state(slot, NOTED + errno);
        }
    }

    /** The kernel has the answer, or wants none. */
    void answered(long unique) {
        Integer slot = slotsByNumber.remove(unique);
        if (slot != null) {
            giveBack(slot);
        }
    }

    /**
     * A request that an earlier process left.
     *
     * @param errno what it would have answered, 0 for success; empty where it had not come so far
     */
    record Left(MemorySegment message, OptionalInt errno) {}

    /** All that was left; they stay until they are answered. */
    List<Left> left() {
        List<Left> result = new ArrayList<>();
        for (int slot : slotsByNumber.values()) {
            int state = state(slot);
            result.add(new Left(
                    requireNonNull(message(slot)),
                    state >= NOTED ? OptionalInt.of(state - NOTED) : OptionalInt.empty()));
        }
        return result;
    }

    /** Null where the process was killed before the kernel had put a request there. */
    private @Nullable MemorySegment message(int slot) {
        MemorySegment buffer = buffer(slot);
        int length = buffer.get(ValueLayout.JAVA_INT_UNALIGNED, FuseProtocol.IN_LENGTH);
        boolean whole =
                FuseRequest.uniqueOf(buffer) != 0 && length >= FuseProtocol.IN_HEADER_BYTES && length <= SLOT_BYTES;
        return whole ? buffer.asSlice(0, length) : null;
    }

    /** The connection is over. */
    void delete() {
        try {
            channel.close();
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.warn("{} stays: {}", file, e.getMessage());
        }
    }
}
