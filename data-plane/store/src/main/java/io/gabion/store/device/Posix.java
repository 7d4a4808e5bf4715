package io.gabion.store.device;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/**
 * The system calls that Java's file channels do not offer in the needed form: the lock of the data file must be an exclusive
 * flock(2) on the very open file description through which the writes go, so that writes in flight keep it after the death
 * of the process.
 */
final class Posix {
    static final int O_RDONLY = 0;
    static final int O_RDWR = 2;
    static final int O_CREAT = 0x40;
    static final int O_CLOEXEC = 0x80000;
    /** The bit differs between processor families. */
    static final int O_DIRECT = System.getProperty("os.arch").equals("aarch64") ? 0x10000 : 0x4000;

    static final int LOCK_EXCLUSIVE_NOW = 2 | 4;
    static final int EINTR = 4;
    static final int EIO = 5;
    static final int EAGAIN = 11;
    static final int EINVAL = 22;
    static final int ENOSPC = 28;
    static final int ENOSYS = 38;
    static final int EOPNOTSUPP = 95;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final ThreadLocal<MemorySegment> CAPTURED =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STATE));

    private static final MethodHandle OPEN = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("open"),
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT),
            Linker.Option.firstVariadicArg(2),
            Linker.Option.captureCallState("errno"));
    private static final MethodHandle PREAD = transfer("pread");
    private static final MethodHandle PWRITE = transfer("pwrite");
    private static final MethodHandle FDATASYNC = onDescriptor("fdatasync");
    private static final MethodHandle CLOSE = onDescriptor("close");
    private static final MethodHandle FLOCK =
            handle("flock", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    private static final MethodHandle FTRUNCATE = handle(
            "ftruncate", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));

    private static final MethodHandle FALLOCATE = handle(
            "fallocate",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG));

    private Posix() {}

    private static MethodHandle handle(String name, FunctionDescriptor shape) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name), shape, Linker.Option.captureCallState("errno"));
    }

    private static MethodHandle transfer(String name) {
        return handle(
                name,
                FunctionDescriptor.of(
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_INT,
                        ValueLayout.ADDRESS,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_LONG));
    }

    private static MethodHandle onDescriptor(String name) {
        return handle(name, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    }

    /** Returns the descriptor, or the negated errno. */
    static int open(String path, int flags, int mode) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = CAPTURED.get();
            int descriptor = (int) OPEN.invokeExact(state, arena.allocateFrom(path), flags, mode);
            return descriptor >= 0 ? descriptor : -errno(state);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** Returns the bytes read, 0 at the end of the file, or the negated errno. */
    static long pread(int descriptor, ByteBuffer target, long position) {
        try {
            MemorySegment state = CAPTURED.get();
            long done = (long) PREAD.invokeExact(
                    state, descriptor, MemorySegment.ofBuffer(target), (long) target.remaining(), position);
            return done >= 0 ? done : -errno(state);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** Returns the bytes written or the negated errno. */
    static long pwrite(int descriptor, ByteBuffer source, long position) {
        try {
            MemorySegment state = CAPTURED.get();
            long done = (long) PWRITE.invokeExact(
                    state, descriptor, MemorySegment.ofBuffer(source), (long) source.remaining(), position);
            return done >= 0 ? done : -errno(state);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** Returns 0 or the negated errno. */
    static int fdatasync(int descriptor) {
        return call(FDATASYNC, descriptor);
    }

    /** Returns 0 or the negated errno. */
    static int close(int descriptor) {
        return call(CLOSE, descriptor);
    }

    private static int call(MethodHandle function, int descriptor) {
        try {
            MemorySegment state = CAPTURED.get();
            int result = (int) function.invokeExact(state, descriptor);
            return result >= 0 ? result : -errno(state);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** Returns 0 or the negated errno. */
    static int flock(int descriptor, int operation) {
        try {
            MemorySegment state = CAPTURED.get();
            int result = (int) FLOCK.invokeExact(state, descriptor, operation);
            return result >= 0 ? result : -errno(state);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** Returns 0 or the negated errno. */
    static int ftruncate(int descriptor, long length) {
        try {
            MemorySegment state = CAPTURED.get();
            int result = (int) FTRUNCATE.invokeExact(state, descriptor, length);
            return result >= 0 ? result : -errno(state);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** Returns 0 or the negated errno. */
    static int fallocate(int descriptor, long length) {
        try {
            MemorySegment state = CAPTURED.get();
            int result = (int) FALLOCATE.invokeExact(state, descriptor, 0, 0L, length);
            return result >= 0 ? result : -errno(state);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** An exception that says what failed, for a negated errno. */
    static IOException failure(String operation, String file, long negatedErrno) {
        int errno = (int) -negatedErrno;
        String meaning =
                switch (errno) {
                    case EIO -> "the device reported an I/O error (EIO)";
                    case ENOSPC -> "no space left on the file system below (ENOSPC)";
                    case EINVAL -> "invalid argument or alignment (EINVAL)";
                    case 2 -> "no such file (ENOENT)";
                    case 13 -> "permission denied (EACCES)";
                    case 30 -> "read-only file system (EROFS)";
                    case 122 -> "quota exceeded (EDQUOT)";
                    default -> "errno " + errno;
                };
        return new IOException(operation + " of " + file + " failed: " + meaning);
    }

    private static int errno(MemorySegment state) {
        return (int) ERRNO.get(state, 0L);
    }

    private static IllegalStateException broken(Throwable e) {
        return new IllegalStateException("system call could not be made", e);
    }
}
