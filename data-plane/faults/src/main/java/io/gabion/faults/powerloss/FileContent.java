package io.gabion.faults.powerloss;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * The content of one file: the durable bytes in the backing file, and above them in memory everything written since
 * the last sync. Thread safe; reads run in parallel.
 *
 * <p>The changes are kept twice: as an overlay for readers (only the newest bytes) and as the list of single changes
 * in order, from which a power cut picks its survivors.
 */
final class FileContent {
    private static final MemorySegment ZEROS =
            MemorySegment.ofArray(new byte[FuseConnection.MAXIMUM_WRITE_BYTES]).asReadOnly();
    // Below a sector a buffer of zeros is not worth a special case.
    private static final int ZERO_DETECTION_BYTES = 512;

    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private final ExtentOverlay overlay = new ExtentOverlay();
    private final List<FileChange> changes = new ArrayList<>();
    private final SpaceAccount space;
    private final AtomicLong unsyncedBytes;
    private int lostChanges;
    private long heldBytes;
    private volatile long sizeBytes;
    private long durableSizeBytes;
    private @Nullable FileChannel base;

    /**
     * A file of the given durable size.
     *
     * @param space the file system's space, changed with the size of the file
     * @param unsyncedBytes the file system's count of bytes held in memory
     */
    FileContent(long durableSizeBytes, SpaceAccount space, AtomicLong unsyncedBytes) {
        this.durableSizeBytes = durableSizeBytes;
        this.sizeBytes = durableSizeBytes;
        this.space = space;
        this.unsyncedBytes = unsyncedBytes;
        space.add(durableSizeBytes);
    }

    long sizeBytes() {
        return sizeBytes;
    }

    /** Opens the backing file, which must exist. */
    void openBase(Path path) throws IOException {
        lock.writeLock().lock();
        try {
            if (base == null) {
                base = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    void closeBase() throws IOException {
        lock.writeLock().lock();
        try {
            if (base != null) {
                base.close();
                base = null;
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Reads into the target; returns the number of bytes, fewer than asked for only at the end of the file. */
    int read(long offset, MemorySegment target) throws IOException {
        lock.readLock().lock();
        try {
            long end = Math.min(sizeBytes, offset + target.byteSize());
            if (end <= offset) {
                return 0;
            }
            long position = offset;
            for (ExtentOverlay.Extent extent : overlay.within(offset, end)) {
                readBase(position, extent.start(), offset, target);
                MemorySegment part = target.asSlice(extent.start() - offset, extent.end() - extent.start());
                if (extent.data() == null) {
                    part.fill((byte) 0);
                } else {
                    part.copyFrom(extent.data());
                }
                position = extent.end();
            }
            readBase(position, end, offset, target);
            return (int) (end - offset);
        } finally {
            lock.readLock().unlock();
        }
    }

    private void readBase(long from, long to, long offset, MemorySegment target) throws IOException {
        if (from >= to) {
            return;
        }
        long position = from;
        FileChannel file = base;
        if (file != null && from < durableSizeBytes) {
            long end = Math.min(to, durableSizeBytes);
            ByteBuffer buffer = target.asSlice(from - offset, end - from).asByteBuffer();
            while (buffer.hasRemaining()) {
                int count = file.read(buffer, position);
                if (count < 0) {
                    break;
                }
                position += count;
            }
        }
        target.asSlice(position - offset, to - position).fill((byte) 0);
    }

    /** Writes; volatile until a sync. */
    void write(long offset, MemorySegment source) throws FuseError {
        long length = source.byteSize();
        boolean zero = length >= ZERO_DETECTION_BYTES
                && length <= ZEROS.byteSize()
                && source.mismatch(ZEROS.asSlice(0, length)) < 0;
        MemorySegment data = zero ? null : MemorySegment.ofArray(source.toArray(ValueLayout.JAVA_BYTE));
        lock.writeLock().lock();
        try {
            grow(offset + length);
            changes.add(new FileChange.Written(offset, length, data));
            overlay.put(offset, offset + length, data);
            hold(data == null ? 0 : length);
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Truncates or extends with zeros. */
    void resize(long newSizeBytes) throws FuseError {
        lock.writeLock().lock();
        try {
            if (newSizeBytes == sizeBytes) {
                return;
            }
            if (newSizeBytes > sizeBytes) {
                grow(newSizeBytes);
            } else {
                space.add(newSizeBytes - sizeBytes);
                sizeBytes = newSizeBytes;
                overlay.cut(newSizeBytes, Long.MAX_VALUE);
                // What the backing file still has there must not show through when the file grows again.
                overlay.put(newSizeBytes, durableSizeBytes, null);
            }
            changes.add(new FileChange.Resized(newSizeBytes));
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Zeroes a range inside the file; a range beyond its end changes nothing there. */
    void zero(long offset, long length) {
        lock.writeLock().lock();
        try {
            long end = Math.min(sizeBytes, offset + length);
            if (offset < end) {
                overlay.put(offset, end, null);
                changes.add(new FileChange.Zeroed(offset, end - offset));
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    private void grow(long end) throws FuseError {
        if (end > sizeBytes) {
            if (!space.tryAdd(end - sizeBytes)) {
                throw new FuseError(Errno.ENOSPC);
            }
            sizeBytes = end;
        }
    }

    private void hold(long bytes) {
        heldBytes += bytes;
        unsyncedBytes.addAndGet(bytes);
    }

    /** Makes everything durable that no failed sync has lost. The backing file must be open. */
    void sync() throws IOException {
        lock.writeLock().lock();
        try {
            if (changes.size() == lostChanges && durableSizeBytes == sizeBytes) {
                return;
            }
            FileChannel file = base;
            if (file == null) {
                throw new IllegalStateException("a file is synced whose backing file is not open");
            }
            if (sizeBytes < durableSizeBytes) {
                file.truncate(sizeBytes);
                durableSizeBytes = sizeBytes;
            }
            for (ExtentOverlay.Extent extent : overlay.within(0, sizeBytes)) {
                if (!extent.lost()) {
                    writeBase(file, extent);
                }
            }
            BackingFile.extend(file, sizeBytes);
            durableSizeBytes = sizeBytes;
            overlay.keepOnlyLost();
            changes.subList(lostChanges, changes.size()).clear();
            if (lostChanges == 0) {
                hold(-heldBytes);
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    private void writeBase(FileChannel file, ExtentOverlay.Extent extent) throws IOException {
        MemorySegment data = extent.data();
        if (data == null) {
            BackingFile.zero(file, extent.start(), Math.min(extent.end(), durableSizeBytes));
        } else {
            BackingFile.write(file, data.asByteBuffer(), extent.start());
        }
    }

    /**
     * A sync that failed: what was unsynced stays readable but no later sync makes it durable, as Linux marks the
     * pages clean.
     */
    void loseUnsynced() {
        lock.writeLock().lock();
        try {
            overlay.loseAll();
            lostChanges = changes.size();
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** The changes that are not durable, in order. */
    List<FileChange> unsynced() {
        lock.readLock().lock();
        try {
            return List.copyOf(changes);
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Forgets the file: it is gone for good, or a power cut replaces it by what the backing file holds. */
    void discard() throws IOException {
        lock.writeLock().lock();
        try {
            closeBase();
            space.add(-sizeBytes);
            hold(-heldBytes);
            changes.clear();
            overlay.cut(0, Long.MAX_VALUE);
            sizeBytes = 0;
            durableSizeBytes = 0;
        } finally {
            lock.writeLock().unlock();
        }
    }
}
