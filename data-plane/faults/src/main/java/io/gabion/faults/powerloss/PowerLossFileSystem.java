package io.gabion.faults.powerloss;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A file system for tests that loses, at the push of a button, what a power loss may lose.
 *
 * <p>It is served by this process over FUSE and keeps its durable state in a backing directory. Everything that was not
 * synced is in memory only: reads see it, and {@link #cut} decides what of it a machine would find again.
 *
 * <pre>
 *   processes under test        write  ->  memory  --fsync, O_DSYNC-->  backing directory
 *   (unchanged, real kernel)    read   <-  memory over backing
 *                               cut    :   memory --random subset----->  backing directory, then memory is empty
 * </pre>
 *
 * <p><b>Data.</b> fsync, fdatasync, and writes made with O_DSYNC, O_SYNC or RWF_DSYNC make the file's data and size
 * durable. The kernel caches nothing: files are opened for direct I/O, so shared memory mappings are refused. O_DIRECT
 * works.
 *
 * <p><b>Names.</b> Creations, links, renames and removals are one ordered journal, as in ext4 and XFS. fsync of a
 * directory commits it up to the last change in that directory; fsync of a file up to the last change of the file's own
 * names; fdatasync and O_DSYNC up to the file's creation. A cut keeps a prefix of the rest. Permissions are part of the
 * journal; owners and times are not kept.
 *
 * <p><b>Locks.</b> flock(2) and fcntl locks are the kernel's own; they end with the open description, and all of them
 * end at a cut, because every file is another one afterwards.
 *
 * <p>Needs Linux, {@code /dev/fuse} and the right to mount. The process that hosts it must not map files of it. Thread
 * safe.
 */
public final class PowerLossFileSystem implements AutoCloseable {
    private final Path backing;
    private final Path mountPoint;
    private final PowerLossOptions options;
    private final SpaceAccount space = new SpaceAccount();
    private final FaultSwitches faults = new FaultSwitches(space);
    private final IoCounters counters = new IoCounters();
    private final AtomicLong ids = new AtomicLong(NodeTree.ROOT_ID);
    private final RequestDispatcher dispatcher;
    private final FuseConnection connection;
    private final Thread atExit;
    private boolean closed;

    private PowerLossFileSystem(Path backing, Path mountPoint, PowerLossOptions options) throws IOException {
        this.backing = backing.toAbsolutePath();
        this.mountPoint = mountPoint.toAbsolutePath();
        this.options = options;
        Files.createDirectories(this.backing);
        this.dispatcher = new RequestDispatcher(newLife(), faults, counters);
        this.connection = FuseConnection.mount(this.mountPoint, options.threads(), dispatcher);
        this.atExit = new Thread(connection::close, "powerloss-unmount");
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    /**
     * Mounts with default options.
     *
     * @param backing directory of the durable state, created when missing; nobody else may change it meanwhile
     * @param mountPoint directory to mount on, created when missing
     * @throws IOException when the mount is not possible, with the reason
     */
    public static PowerLossFileSystem mount(Path backing, Path mountPoint) throws IOException {
        return mount(backing, mountPoint, PowerLossOptions.DEFAULT);
    }

    /** Mounts; see {@link #mount(Path, Path)}. */
    public static PowerLossFileSystem mount(Path backing, Path mountPoint, PowerLossOptions options)
            throws IOException {
        return new PowerLossFileSystem(backing, mountPoint, options);
    }

    private RequestDispatcher.Life newLife() throws IOException {
        NodeTree tree = new NodeTree(backing, ids, space);
        OpenHandles handles = new OpenHandles(ids);
        return new RequestDispatcher.Life(
                tree,
                new FileRequests(tree, handles, faults, counters, options),
                new NameRequests(tree, handles, space, backing),
                new CompletableFuture<>());
    }

    public Path mountPoint() {
        return mountPoint;
    }

    public Path backing() {
        return backing;
    }

    public FaultSwitches faults() {
        return faults;
    }

    public IoCounts counts() {
        return counters.snapshot(dispatcher.life().tree().unsyncedBytes());
    }

    /**
     * The instant at which the power fails: from now on no operation is answered and none takes effect, until
     * {@link #cut}. To cut several machines at once: freeze all, kill their processes, cut all. A frozen file system
     * makes everybody wait who touches it, the calling process too.
     */
    public void freeze() {
        dispatcher.freeze();
    }

    /** A power cut in which chance alone decides. See {@link #cut(long, CutPolicy)}. */
    public CutReport cut(long seed) throws IOException {
        return cut(seed, CutPolicy.RANDOM);
    }

    /**
     * The power fails and comes back. Of everything unsynced a random part survives; the rest is lost. The mount stays;
     * whatever was open or under way before gets EIO or ESTALE and never takes effect. Processes should have been
     * killed before; those that hang in an operation end when this returns.
     *
     * @param seed decides what survives; the same seed on the same state has the same result
     * @param policy may decide instead of chance
     */
    public CutReport cut(long seed, CutPolicy policy) throws IOException {
        record Outcome(CutReport report, RequestDispatcher.Life life) {}
        return dispatcher
                .replaceLife(
                        old -> {
                            CutReport report = new PowerCut(seed, policy).apply(old.tree());
                            return new Outcome(report, newLife());
                        },
                        Outcome::life)
                .report();
    }

    /** Makes everything durable, whatever the faults say: the settled state from which a test starts. */
    public void syncAll() throws IOException {
        dispatcher.quietly(life -> {
            life.tree().syncAll();
            return life;
        });
    }

    /**
     * Unmounts, by force if files are still open, and leaves everything durable in the backing directory, as a clean
     * shutdown does.
     *
     * @throws IllegalStateException when the layer itself failed meanwhile: results obtained on it are worth nothing
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        faults.clear();
        try {
            dispatcher.replaceLife(
                    old -> {
                        old.tree().syncAll();
                        old.tree().discard();
                        return newLife();
                    },
                    life -> life);
            connection.close();
            Runtime.getRuntime().removeShutdownHook(atExit);
            dispatcher.quietly(life -> {
                life.tree().discard();
                return life;
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Throwable defect = dispatcher.defect();
        if (defect != null) {
            throw new IllegalStateException("the power-loss layer at " + mountPoint + " failed by itself", defect);
        }
    }
}
