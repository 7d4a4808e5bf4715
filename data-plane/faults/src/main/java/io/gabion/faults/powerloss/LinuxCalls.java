package io.gabion.faults.powerloss;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * The few system calls a FUSE server needs. Every call returns its result, or the negated error number.
 *
 * <p>An instance holds the cell into which errno is captured, so it belongs to one thread at a time.
 */
final class LinuxCalls {
    static final int O_RDWR = 2;
    static final int O_CLOEXEC = 0x80000;
    static final long MS_NOSUID = 2;
    static final long MS_NODEV = 4;
    static final int MNT_FORCE = 1;
    static final int MNT_DETACH = 2;

    private static final Linker.Option CAPTURE = Linker.Option.captureCallState("errno");
    private static final VarHandle ERRNO =
            Linker.Option.captureStateLayout().varHandle(MemoryLayout.PathElement.groupElement("errno"));
    // open(2) is variadic from its third argument on.
    private static final MethodHandle OPEN = handle(
            "open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT), Linker.Option.firstVariadicArg(2));
    private static final MethodHandle CLOSE = handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle READ =
            handle("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
    private static final MethodHandle WRITE =
            handle("write", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
    private static final MethodHandle MOUNT =
            handle("mount", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));
    private static final MethodHandle UMOUNT2 = handle("umount2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));

    private final MemorySegment state = Arena.ofAuto().allocate(Linker.Option.captureStateLayout());

    private static MethodHandle handle(String name, FunctionDescriptor descriptor, Linker.Option... more) {
        Linker linker = Linker.nativeLinker();
        SymbolLookup lookup = linker.defaultLookup();
        Linker.Option[] options = new Linker.Option[more.length + 1];
        options[0] = CAPTURE;
        System.arraycopy(more, 0, options, 1, more.length);
        return linker.downcallHandle(lookup.findOrThrow(name), descriptor, options);
    }

    int open(String path, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            return (int) result((int) OPEN.invokeExact(state, arena.allocateFrom(path), flags, 0));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    int close(int descriptor) {
        try {
            return (int) result((int) CLOSE.invokeExact(state, descriptor));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    long read(int descriptor, MemorySegment buffer) {
        try {
            return result((long) READ.invokeExact(state, descriptor, buffer, buffer.byteSize()));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    long write(int descriptor, MemorySegment buffer, long length) {
        try {
            return result((long) WRITE.invokeExact(state, descriptor, buffer, length));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    int mount(String source, String target, String type, long flags, String options) {
        try (Arena arena = Arena.ofConfined()) {
            return (int) result((int) MOUNT.invokeExact(
                    state,
                    arena.allocateFrom(source),
                    arena.allocateFrom(target),
                    arena.allocateFrom(type),
                    flags,
                    arena.allocateFrom(options)));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    int unmount(String target, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            return (int) result((int) UMOUNT2.invokeExact(state, arena.allocateFrom(target), flags));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    private long result(long returned) {
        return returned >= 0 ? returned : -(int) ERRNO.get(state, 0L);
    }

    private static IllegalStateException broken(Throwable e) {
        return new IllegalStateException("a system call could not be invoked", e);
    }
}
