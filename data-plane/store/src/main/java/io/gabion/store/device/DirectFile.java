package io.gabion.store.device;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file opened with O_DIRECT under an exclusive flock(2), or read-only for tools. Durability comes from fdatasync after the
 * writes of a batch: measured equal to O_DSYNC on areas filled with zeros, and one sync covers several writes.
 */
public final class DirectFile implements DeviceFile {
    private static final Logger LOG = LoggerFactory.getLogger(DirectFile.class);
    private static final long LOCK_POLL_NANOS = 20_000_000;

    private final int descriptor;
    private final String name;
    private final AtomicBoolean closed = new AtomicBoolean();

    private DirectFile(int descriptor, String name) {
        this.descriptor = descriptor;
        this.name = name;
    }

    /**
     * Opens and locks. Waits up to {@code lockWait} for another holder: writes of a killed process may still be in flight, and
     * they keep the lock.
     */
    public static DirectFile open(Path path, boolean create, Duration lockWait) throws IOException {
        return locked(openUnlocked(path, Posix.O_RDWR | (create ? Posix.O_CREAT : 0)), lockWait);
    }

    private static DirectFile locked(DirectFile file, Duration lockWait) throws IOException {
        boolean locked = false;
        try {
            file.lock(lockWait);
            locked = true;
        } finally {
            if (!locked) {
                file.close();
            }
        }
        return file;
    }

    /** Opens for reading only, under the same lock, so that nobody writes meanwhile. */
    public static DirectFile openReadOnly(Path path, Duration lockWait) throws IOException {
        return locked(openUnlocked(path, Posix.O_RDONLY), lockWait);
    }

    private static DirectFile openUnlocked(Path path, int mode) throws IOException {
        String name = path.toString();
        int flags = mode | Posix.O_CLOEXEC;
        int descriptor = Posix.open(name, flags | Posix.O_DIRECT, 0600);
        if (descriptor == -Posix.EINVAL) {
            LOG.warn(
                    "the file system of {} does not support O_DIRECT: reads and writes go through the page cache",
                    name);
            descriptor = Posix.open(name, flags, 0600);
        }
        if (descriptor < 0) {
            throw Posix.failure("open", name, descriptor);
        }
        return new DirectFile(descriptor, name);
    }

    private void lock(Duration lockWait) throws IOException {
        long deadline = System.nanoTime() + lockWait.toNanos();
        boolean told = false;
        while (true) {
            int result = Posix.flock(descriptor, Posix.LOCK_EXCLUSIVE_NOW);
            if (result == 0) {
                return;
            }
            if (result != -Posix.EAGAIN && result != -Posix.EINTR) {
                throw Posix.failure("flock", name, result);
            }
            if (System.nanoTime() - deadline >= 0) {
                throw new IOException("another process holds the lock of " + name + " for more than "
                        + lockWait.toMillis() + " ms: stop it, or wait until its last writes have ended");
            }
            if (!told) {
                LOG.info(
                        "waiting up to {} ms for the lock of {}: another process or its last writes hold it",
                        lockWait.toMillis(),
                        name);
                told = true;
            }
            LockSupport.parkNanos(LOCK_POLL_NANOS);
        }
    }

    /** Sets the length; new bytes read as zeros. */
    public void setLength(long bytes) throws IOException {
        int result = Posix.ftruncate(descriptor, bytes);
        if (result < 0) {
            throw Posix.failure("ftruncate", name, result);
        }
    }

    /** Sets the length and claims the space for it, where the file system can; new bytes read as zeros. */
    public void allocate(long bytes) throws IOException {
        int result = Posix.fallocate(descriptor, bytes);
        if (result == -Posix.EOPNOTSUPP || result == -Posix.ENOSYS) {
            LOG.warn("the file system of {} cannot reserve space: it may run full before the disk does", name);
            setLength(bytes);
        } else if (result < 0) {
            throw Posix.failure("reserving " + bytes + " bytes", name, result);
        }
    }

    @Override
    public void read(long position, ByteBuffer target) throws IOException {
        long at = position;
        while (target.hasRemaining()) {
            long done = Posix.pread(descriptor, target, at);
            if (done == -Posix.EINTR) {
                continue;
            }
            if (done < 0) {
                throw Posix.failure("read at " + at, name, done);
            }
            if (done == 0) {
                throw new IOException("read at " + at + " of " + name + " failed: the file ends before it");
            }
            target.position(target.position() + (int) done);
            at += done;
        }
    }

    @Override
    public void write(long position, ByteBuffer source) throws IOException {
        long at = position;
        while (source.hasRemaining()) {
            long done = Posix.pwrite(descriptor, source, at);
            if (done == -Posix.EINTR) {
                continue;
            }
            if (done <= 0) {
                throw Posix.failure("write at " + at, name, done);
            }
            source.position(source.position() + (int) done);
            at += done;
        }
    }

    @Override
    public void sync() throws IOException {
        int result = Posix.fdatasync(descriptor);
        if (result < 0) {
            throw Posix.failure("fdatasync", name, result);
        }
    }

    @Override
    public void close() throws IOException {
        if (closed.compareAndSet(false, true)) {
            int result = Posix.close(descriptor);
            if (result < 0) {
                throw Posix.failure("close", name, result);
            }
        }
    }
}
