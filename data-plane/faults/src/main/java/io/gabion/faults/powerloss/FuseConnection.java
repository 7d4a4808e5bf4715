package io.gabion.faults.powerloss;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A mounted FUSE connection: it speaks the kernel protocol on {@code /dev/fuse} directly, without libfuse, because the
 * layer must see the flags of every single write (O_DSYNC, RWF_DSYNC), must answer by node and not by path, and must
 * be able to hold an answer back for as long as a test wants.
 *
 * <p>A fixed number of platform threads read requests and hand each to the handler, which answers before it returns or
 * later from a thread of its own.
 */
final class FuseConnection implements AutoCloseable {
    static final int MAXIMUM_WRITE_BYTES = 1 << 20;

    private static final Logger LOG = LoggerFactory.getLogger(FuseConnection.class);
    private static final int PROTOCOL_MAJOR = 7;
    // 38: parallel direct writes; newer minors bring nothing this layer uses.
    private static final int PROTOCOL_MINOR = 38;
    private static final int REQUEST_BUFFER_BYTES = MAXIMUM_WRITE_BYTES + (64 << 10);
    private static final int REPLY_BUFFER_BYTES = MAXIMUM_WRITE_BYTES + (4 << 10);
    private static final int MAXIMUM_PAGES = 256;
    // The kernel holds back asynchronous requests beyond this many; above the deepest queue a test uses.
    private static final int MAXIMUM_BACKGROUND = 512;
    private static final int CONGESTION_THRESHOLD = 400;
    private static final Duration THREAD_END = Duration.ofSeconds(10);

    private static final int FLAG_ASYNC_READ = 1;
    private static final int FLAG_BIG_WRITES = 1 << 5;
    private static final int FLAG_ASYNC_DIO = 1 << 15;
    private static final int FLAG_PARALLEL_DIROPS = 1 << 18;
    private static final int FLAG_MAX_PAGES = 1 << 22;

    private final Path mountPoint;
    private final int descriptor;
    private final FuseHandler handler;
    private final List<Thread> readers = new ArrayList<>();

    private FuseConnection(Path mountPoint, int descriptor, FuseHandler handler) {
        this.mountPoint = mountPoint;
        this.descriptor = descriptor;
        this.handler = handler;
    }

    /**
     * Mounts and starts to serve.
     *
     * @throws IOException when {@code /dev/fuse} cannot be opened or the mount is refused (it needs CAP_SYS_ADMIN)
     */
    static FuseConnection mount(Path mountPoint, int threads, FuseHandler handler) throws IOException {
        LinuxCalls calls = new LinuxCalls();
        detachLeftOver(calls, mountPoint);
        Files.createDirectories(mountPoint);
        int descriptor = calls.open("/dev/fuse", LinuxCalls.O_RDWR | LinuxCalls.O_CLOEXEC);
        if (descriptor < 0) {
            throw new IOException("/dev/fuse cannot be opened: errno " + -descriptor + "; load the fuse module");
        }
        String options = "fd=" + descriptor + ",rootmode=40000,user_id=0,group_id=0,allow_other";
        int mounted = calls.mount(
                "powerloss",
                mountPoint.toString(),
                "fuse.powerloss",
                LinuxCalls.MS_NOSUID | LinuxCalls.MS_NODEV,
                options);
        if (mounted < 0) {
            calls.close(descriptor);
            throw new IOException(
                    mountPoint + " cannot be mounted: errno " + -mounted + "; the power-loss layer needs root");
        }
        FuseConnection connection = new FuseConnection(mountPoint, descriptor, handler);
        for (int i = 0; i < threads; i++) {
            connection.readers.add(Thread.ofPlatform()
                    .daemon()
                    .name("powerloss-" + mountPoint.getFileName() + "-" + i)
                    .start(connection::serve));
        }
        return connection;
    }

    /** A test that was killed leaves a mount whose server is gone; it is in nobody's use and only in the way. */
    private static void detachLeftOver(LinuxCalls calls, Path mountPoint) {
        if (!Files.exists(mountPoint)) {
            // Also true for a mount point whose server is gone: stat answers ENOTCONN.
            calls.unmount(mountPoint.toString(), LinuxCalls.MNT_DETACH);
        }
    }

    private void serve() {
        LinuxCalls calls = new LinuxCalls();
        Arena arena = Arena.ofAuto();
        MemorySegment in = arena.allocate(REQUEST_BUFFER_BYTES, 4096);
        FuseReply reply = new FuseReply(arena.allocate(REPLY_BUFFER_BYTES, 4096));
        while (true) {
            long length = calls.read(descriptor, in);
            if (length < 0) {
                int errno = (int) -length;
                // ENOENT: the request was withdrawn while it was being read.
                if (errno == Errno.EINTR || errno == Errno.EAGAIN || errno == Errno.ENOENT) {
                    continue;
                }
                if (errno != Errno.ENODEV) {
                    LOG.warn(
                            "the power-loss layer at {} stops: reading /dev/fuse answered errno {}", mountPoint, errno);
                }
                return;
            }
            FuseRequest request = new FuseRequest(in.asSlice(0, length));
            reply.clear();
            if (request.opcode() == FuseOpcode.INIT) {
                initialise(request, reply);
                send(calls, reply.finish(request.unique(), 0));
            } else {
                handler.handle(request, reply, calls, this);
            }
        }
    }

    private static void initialise(FuseRequest request, FuseReply reply) {
        int offered = request.int32(12);
        // No writeback cache and no kernel-side cache of any kind: every write reaches the layer when it is made.
        int wanted = FLAG_ASYNC_READ | FLAG_BIG_WRITES | FLAG_ASYNC_DIO | FLAG_PARALLEL_DIROPS | FLAG_MAX_PAGES;
        reply.int32(PROTOCOL_MAJOR).int32(PROTOCOL_MINOR).int32(0).int32(offered & wanted);
        reply.int16(MAXIMUM_BACKGROUND).int16(CONGESTION_THRESHOLD).int32(MAXIMUM_WRITE_BYTES);
        reply.int32(1).int16(MAXIMUM_PAGES).int16(0).int32(0).zeros(7 * Integer.BYTES);
    }

    /** Sends an answer; one whose request was withdrawn meanwhile is of no interest to anybody. */
    void send(LinuxCalls calls, MemorySegment answer) {
        long written = calls.write(descriptor, answer, answer.byteSize());
        if (written < 0 && -written != Errno.ENOENT && -written != Errno.ENODEV) {
            LOG.warn("an answer at {} was refused by the kernel: errno {}", mountPoint, -written);
        }
    }

    static FuseReply newReply() {
        return new FuseReply(Arena.ofAuto().allocate(REPLY_BUFFER_BYTES, Long.BYTES));
    }

    /** Unmounts, by force when files are still open: their owners then find the connection gone. */
    @Override
    public void close() {
        LinuxCalls calls = new LinuxCalls();
        String target = mountPoint.toString();
        int result = calls.unmount(target, 0);
        if (result == -Errno.EBUSY) {
            calls.unmount(target, LinuxCalls.MNT_FORCE);
            result = calls.unmount(target, LinuxCalls.MNT_DETACH);
        }
        if (result < 0) {
            LOG.warn("{} could not be unmounted: errno {}", mountPoint, -result);
        }
        for (Thread reader : readers) {
            try {
                if (!reader.join(THREAD_END)) {
                    LOG.warn("{} did not end after the unmount; its descriptor stays open", reader.getName());
                    return;
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
        calls.close(descriptor);
    }
}
