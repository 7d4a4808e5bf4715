package io.gabion.faults.powerloss;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends each request to the method that answers it, lets the faults have their way with it, and separates the time
 * before a power cut from the time after it: an operation that was on its way when the power went never lands.
 */
final class RequestDispatcher implements FuseHandler {
    /**
     * The life between two power cuts.
     *
     * @param ended completed by the cut; what waits for a fault then stops waiting
     */
    record Life(NodeTree tree, FileRequests files, NameRequests names, CompletableFuture<Void> ended) {}

    private static final Logger LOG = LoggerFactory.getLogger(RequestDispatcher.class);

    private final ReentrantReadWriteLock power = new ReentrantReadWriteLock();
    private final FaultSwitches faults;
    private final IoCounters counters;
    private final AtomicReference<@Nullable Throwable> defect = new AtomicReference<>();
    private volatile Life life;
    private volatile boolean frozen;

    RequestDispatcher(Life life, FaultSwitches faults, IoCounters counters) {
        this.life = life;
        this.faults = faults;
        this.counters = counters;
    }

    Life life() {
        return life;
    }

    /** The first failure of the layer itself, which no test intended; null when there was none. */
    @Nullable
    Throwable defect() {
        return defect.get();
    }

    /** From now on nothing is answered and nothing lands until {@link #replaceLife}. */
    void freeze() {
        power.writeLock().lock();
        try {
            frozen = true;
        } finally {
            power.writeLock().unlock();
        }
    }

    /** Something that makes a new life out of the old one while no operation runs. */
    @FunctionalInterface
    interface Replacement<R> {
        R replace(Life old) throws IOException;
    }

    /** Stops all operations, runs the replacement, starts the new life it made; late operations of the old one fail. */
    <R> R replaceLife(Replacement<R> replacement, Function<R, Life> newLife) throws IOException {
        power.writeLock().lock();
        try {
            Life old = life;
            R result = replacement.replace(old);
            life = newLife.apply(result);
            frozen = false;
            old.ended().complete(null);
            return result;
        } finally {
            power.writeLock().unlock();
        }
    }

    /** Runs something on the tree while no operation runs. */
    void quietly(Replacement<?> action) throws IOException {
        power.writeLock().lock();
        try {
            action.replace(life);
        } finally {
            power.writeLock().unlock();
        }
    }

    @Override
    public void handle(FuseRequest request, FuseReply reply, LinuxCalls calls, FuseConnection connection) {
        Life arrival = life;
        switch (request.opcode()) {
            case FuseOpcode.FORGET -> arrival.names().forget(request);
            case FuseOpcode.BATCH_FORGET -> arrival.names().forgetMany(request);
            case FuseOpcode.INTERRUPT -> {
                // Not answered: operations end when the faults let them, as on a disk.
            }
            default -> {
                FaultPlan plan = faults.idle() ? FaultPlan.NONE : plan(arrival, request);
                if (plan.waits() || frozen) {
                    park(request.copy(), plan, arrival, connection);
                } else if (!answer(request, reply, plan, arrival, calls, connection)) {
                    park(request.copy(), FaultPlan.NONE, arrival, connection);
                }
            }
        }
    }

    /** Answers later from a thread of its own, so that a hanging file does not hold up the others. */
    private void park(FuseRequest request, FaultPlan plan, Life arrival, FuseConnection connection) {
        Thread.ofVirtual().start(() -> {
            LinuxCalls calls = new LinuxCalls();
            FuseReply reply = FuseConnection.newReply();
            pass(plan, arrival);
            while (!answer(request, reply, plan, arrival, calls, connection)) {
                await(arrival.ended(), Long.MAX_VALUE);
            }
        });
    }

    private static void pass(FaultPlan plan, Life arrival) {
        if (plan.delayNanos() > 0) {
            await(arrival.ended(), plan.delayNanos());
        }
        for (CompletableFuture<Void> gate : plan.gates()) {
            await(CompletableFuture.anyOf(gate, arrival.ended()), Long.MAX_VALUE);
        }
    }

    private static void await(CompletableFuture<?> event, long nanos) {
        try {
            event.get(nanos, TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            // The delay is over.
        } catch (ExecutionException e) {
            throw new IllegalStateException("nothing completes these events with a failure", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** False when the power is being cut: nothing was done then, and the request has to wait. */
    private boolean answer(
            FuseRequest request,
            FuseReply reply,
            FaultPlan plan,
            Life arrival,
            LinuxCalls calls,
            FuseConnection connection) {
        reply.clear();
        int errno;
        power.readLock().lock();
        try {
            if (arrival.ended().isDone()) {
                errno = Errno.EIO;
            } else if (frozen) {
                return false;
            } else {
                errno = execute(request, reply, plan, arrival);
            }
        } finally {
            power.readLock().unlock();
        }
        connection.send(calls, reply.finish(request.unique(), errno));
        return true;
    }

    private int execute(FuseRequest request, FuseReply reply, FaultPlan plan, Life arrival) {
        if (plan.errno() != 0) {
            counters.failed.increment();
            return plan.errno();
        }
        try {
            return route(request, reply, plan, arrival.files(), arrival.names());
        } catch (FuseError e) {
            return e.errno();
        } catch (IOException | RuntimeException e) {
            if (defect.compareAndSet(null, e)) {
                LOG.error("the power-loss layer failed by itself at opcode {}", request.opcode(), e);
            }
            return Errno.EIO;
        }
    }

    private static int route(
            FuseRequest request, FuseReply reply, FaultPlan plan, FileRequests files, NameRequests names)
            throws FuseError, IOException {
        switch (request.opcode()) {
            case FuseOpcode.LOOKUP -> names.lookup(request, reply);
            case FuseOpcode.GETATTR -> names.attributes(request, reply);
            case FuseOpcode.SETATTR -> names.setAttributes(request, reply);
            case FuseOpcode.MKNOD -> names.makeNode(request, reply);
            case FuseOpcode.MKDIR -> names.makeDirectory(request, reply);
            case FuseOpcode.UNLINK -> names.unlink(request);
            case FuseOpcode.RMDIR -> names.removeDirectory(request);
            case FuseOpcode.RENAME -> names.rename(request);
            case FuseOpcode.RENAME2 -> names.renameWithFlags(request);
            case FuseOpcode.LINK -> names.link(request, reply);
            case FuseOpcode.OPENDIR -> names.openDirectory(request, reply);
            case FuseOpcode.READDIR -> names.readDirectory(request, reply);
            case FuseOpcode.RELEASEDIR -> names.closeDirectory(request);
            case FuseOpcode.STATFS -> names.statistics(reply);
            case FuseOpcode.OPEN -> files.open(request, reply);
            case FuseOpcode.CREATE -> files.create(request, reply);
            case FuseOpcode.RELEASE -> files.release(request);
            case FuseOpcode.READ -> files.read(request, reply, plan);
            case FuseOpcode.WRITE -> files.write(request, reply, plan);
            case FuseOpcode.FSYNC -> files.sync(request, plan);
            case FuseOpcode.FSYNCDIR -> files.syncDirectory(request, plan);
            case FuseOpcode.FALLOCATE -> files.allocate(request);
            case FuseOpcode.DESTROY -> {}
            default -> {
                // Locks, flushes, extended attributes: the kernel then does without, or does it itself.
                return Errno.ENOSYS;
            }
        }
        return 0;
    }

    private FaultPlan plan(Life arrival, FuseRequest request) {
        boolean syncs = request.opcode() == FuseOpcode.WRITE && OpenFlags.syncsData(request.int32(32));
        return faults.plan(operation(request.opcode()), syncs, path(arrival, request));
    }

    private static FileOperation operation(int opcode) {
        return switch (opcode) {
            case FuseOpcode.READ -> FileOperation.READ;
            case FuseOpcode.WRITE -> FileOperation.WRITE;
            case FuseOpcode.FSYNC, FuseOpcode.FSYNCDIR -> FileOperation.SYNC;
            case FuseOpcode.OPEN, FuseOpcode.CREATE -> FileOperation.OPEN;
            case FuseOpcode.FALLOCATE, FuseOpcode.SETATTR -> FileOperation.RESIZE;
            case FuseOpcode.MKNOD,
                    FuseOpcode.MKDIR,
                    FuseOpcode.UNLINK,
                    FuseOpcode.RMDIR,
                    FuseOpcode.RENAME,
                    FuseOpcode.RENAME2,
                    FuseOpcode.LINK -> FileOperation.NAMES;
            default -> FileOperation.OTHER;
        };
    }

    /** The path a request is about: the node's own, or that of the name below it. */
    private static String path(Life arrival, FuseRequest request) {
        Node node = arrival.tree().find(request.nodeId());
        if (node == null) {
            return "";
        }
        String name =
                switch (request.opcode()) {
                    case FuseOpcode.LOOKUP, FuseOpcode.UNLINK, FuseOpcode.RMDIR -> request.string(0);
                    case FuseOpcode.MKDIR, FuseOpcode.LINK, FuseOpcode.RENAME -> request.string(8);
                    case FuseOpcode.CREATE, FuseOpcode.MKNOD, FuseOpcode.RENAME2 -> request.string(16);
                    default -> "";
                };
        if (name.isEmpty()) {
            return node.path;
        }
        return node.path.isEmpty() ? name : node.path + "/" + name;
    }
}
