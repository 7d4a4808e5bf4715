package io.gabion.agent.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * The system calls that the device front end needs and the JDK has no words for. Every call returns its result, or the negated
 * error number: what an error means is known where the call is made. Any thread.
 */
public final class SystemCalls {
    public static final int O_RDONLY = 0;
    public static final int O_RDWR = 2;
    public static final int O_EXCL = 0x80;
    public static final int O_NONBLOCK = 0x800;
    public static final int O_CLOEXEC = 0x80000;

    public static final long MS_RDONLY = 1;
    public static final long MS_NOSUID = 2;
    public static final long MS_NODEV = 4;
    public static final long MS_NOEXEC = 8;
    public static final int MNT_DETACH = 2;

    public static final int EPOLLIN = 1;
    public static final int EPOLLERR = 8;
    public static final int EPOLLHUP = 0x10;
    public static final int EPOLLET = 1 << 31;
    public static final int EPOLL_CTL_ADD = 1;
    public static final int EPOLL_CTL_DEL = 2;
    public static final int EPOLL_CTL_MOD = 3;

    private static final Linker.Option CAPTURE = Linker.Option.captureCallState("errno");
    private static final VarHandle ERRNO =
            Linker.Option.captureStateLayout().varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final ThreadLocal<MemorySegment> STATE =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(Linker.Option.captureStateLayout()));

    // open(2) and ioctl(2) are variadic from their third argument on.
    private static final MethodHandle OPEN = handle(
            "open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT), Linker.Option.firstVariadicArg(2));
    private static final MethodHandle CLOSE = handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle READ =
            handle("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
    private static final MethodHandle WRITE =
            handle("write", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
    private static final MethodHandle WRITEV =
            handle("writev", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle IOCTL_NUMBER = handle(
            "ioctl",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG),
            Linker.Option.firstVariadicArg(2));
    private static final MethodHandle IOCTL_MEMORY = handle(
            "ioctl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS), Linker.Option.firstVariadicArg(2));
    private static final MethodHandle MOUNT =
            handle("mount", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));
    private static final MethodHandle UMOUNT2 = handle("umount2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle MKNOD =
            handle("mknod", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG));
    private static final MethodHandle EPOLL_CREATE1 =
            handle("epoll_create1", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle EPOLL_CTL =
            handle("epoll_ctl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
    private static final MethodHandle EPOLL_WAIT =
            handle("epoll_wait", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
    private static final MethodHandle EVENTFD = handle("eventfd", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle POLL =
            handle("poll", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
    private static final MethodHandle SENDMSG =
            handle("sendmsg", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle RECVMSG =
            handle("recvmsg", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));

    private SystemCalls() {}

    private static MethodHandle handle(String name, FunctionDescriptor descriptor, Linker.Option... more) {
        Linker linker = Linker.nativeLinker();
        Linker.Option[] options = new Linker.Option[more.length + 1];
        options[0] = CAPTURE;
        System.arraycopy(more, 0, options, 1, more.length);
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor, options);
    }

    private static long result(MemorySegment state, long returned) {
        return returned >= 0 ? returned : -(int) ERRNO.get(state, 0L);
    }

    private static IllegalStateException broken(Throwable e) {
        return new IllegalStateException("a system call could not be invoked", e);
    }

    public static int open(String path, int flags) {
        MemorySegment state = STATE.get();
        try (Arena arena = Arena.ofConfined()) {
            return (int) result(state, (int) OPEN.invokeExact(state, arena.allocateFrom(path), flags, 0));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    public static int close(int descriptor) {
        MemorySegment state = STATE.get();
        try {
            return (int) result(state, (int) CLOSE.invokeExact(state, descriptor));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    public static long read(int descriptor, MemorySegment buffer) {
        MemorySegment state = STATE.get();
        try {
            return result(state, (long) READ.invokeExact(state, descriptor, buffer, buffer.byteSize()));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    public static long write(int descriptor, MemorySegment buffer, long length) {
        MemorySegment state = STATE.get();
        try {
            return result(state, (long) WRITE.invokeExact(state, descriptor, buffer, length));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** {@code vectors} holds {@code count} pairs of address and length. */
    public static long writev(int descriptor, MemorySegment vectors, int count) {
        MemorySegment state = STATE.get();
        try {
            return result(state, (long) WRITEV.invokeExact(state, descriptor, vectors, count));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    public static int ioctl(int descriptor, long request, long argument) {
        MemorySegment state = STATE.get();
        try {
            return (int) result(state, (int) IOCTL_NUMBER.invokeExact(state, descriptor, request, argument));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    public static int ioctl(int descriptor, long request, MemorySegment argument) {
        MemorySegment state = STATE.get();
        try {
            return (int) result(state, (int) IOCTL_MEMORY.invokeExact(state, descriptor, request, argument));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    public static int mount(String source, String target, String type, long flags, String options) {
        MemorySegment state = STATE.get();
        try (Arena arena = Arena.ofConfined()) {
            return (int) result(state, (int) MOUNT.invokeExact(
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

    public static int unmount(String target, int flags) {
        MemorySegment state = STATE.get();
        try (Arena arena = Arena.ofConfined()) {
            return (int) result(state, (int) UMOUNT2.invokeExact(state, arena.allocateFrom(target), flags));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    public static int makeNode(String path, int mode, long device) {
        MemorySegment state = STATE.get();
        try (Arena arena = Arena.ofConfined()) {
            return (int) result(state, (int) MKNOD.invokeExact(state, arena.allocateFrom(path), mode, device));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    public static int epollCreate() {
        MemorySegment state = STATE.get();
        try {
            return (int) result(state, (int) EPOLL_CREATE1.invokeExact(state, O_CLOEXEC));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    public static int epollControl(int epoll, int operation, int descriptor, MemorySegment event) {
        MemorySegment state = STATE.get();
        try {
            return (int) result(state, (int) EPOLL_CTL.invokeExact(state, epoll, operation, descriptor, event));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** Waits without end for room in {@code events} of {@code most} events. */
    public static int epollWait(int epoll, MemorySegment events, int most) {
        MemorySegment state = STATE.get();
        try {
            return (int) result(state, (int) EPOLL_WAIT.invokeExact(state, epoll, events, most, -1));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    public static int eventDescriptor() {
        MemorySegment state = STATE.get();
        try {
            return (int) result(state, (int) EVENTFD.invokeExact(state, 0, O_CLOEXEC | O_NONBLOCK));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** {@code descriptors} holds {@code count} structures pollfd. */
    public static int poll(MemorySegment descriptors, long count, int timeoutMillis) {
        MemorySegment state = STATE.get();
        try {
            return (int) result(state, (int) POLL.invokeExact(state, descriptors, count, timeoutMillis));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    public static long sendMessage(int socket, MemorySegment header, int flags) {
        MemorySegment state = STATE.get();
        try {
            return result(state, (long) SENDMSG.invokeExact(state, socket, header, flags));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    public static long receiveMessage(int socket, MemorySegment header, int flags) {
        MemorySegment state = STATE.get();
        try {
            return result(state, (long) RECVMSG.invokeExact(state, socket, header, flags));
        } catch (Throwable e) {
            throw broken(e);
        }
    }
}
