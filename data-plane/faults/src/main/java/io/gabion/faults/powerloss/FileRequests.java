package io.gabion.faults.powerloss;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Requests on the data of open files. Each method fills the reply or throws the error number. */
final class FileRequests {
    private static final int OPEN_DIRECT_IO = 1;
    private static final int OPEN_PARALLEL_DIRECT_WRITES = 1 << 6;
    private static final int DIRECT_ALIGNMENT_BYTES = 512;
    private static final int WRITE_BODY_BYTES = 40;
    private static final int FALLOCATE_KEEP_SIZE = 1;
    private static final int FALLOCATE_PUNCH_HOLE = 2;
    private static final int FALLOCATE_ZERO_RANGE = 0x10;
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final NodeTree tree;
    private final OpenHandles handles;
    private final FaultSwitches faults;
    private final IoCounters counters;
    private final PowerLossOptions options;

    FileRequests(
            NodeTree tree, OpenHandles handles, FaultSwitches faults, IoCounters counters, PowerLossOptions options) {
        this.tree = tree;
        this.handles = handles;
        this.faults = faults;
        this.counters = counters;
        this.options = options;
    }

    void open(FuseRequest request, FuseReply reply) throws FuseError, IOException {
        if (!(tree.node(request.nodeId()) instanceof FileNode file)) {
            throw new FuseError(Errno.EISDIR);
        }
        answerOpened(file, reply);
    }

    void create(FuseRequest request, FuseReply reply) throws FuseError, IOException {
        FileNode file = tree.createFile(request.nodeId(), request.string(16), request.int32(4) & 07777);
        file.uid = request.uid();
        file.gid = request.gid();
        file.lookups.incrementAndGet();
        reply.entry(file);
        answerOpened(file, reply);
    }

    private void answerOpened(FileNode file, FuseReply reply) throws IOException {
        tree.opened(file);
        // Direct: the kernel caches no page, so every write is seen when it is made and no read is answered from before
        // a power cut. Parallel: writes of one file do not wait for each other, as on a disk.
        reply.int64(handles.open(file))
                .int32(OPEN_DIRECT_IO | OPEN_PARALLEL_DIRECT_WRITES)
                .int32(0);
    }

    void release(FuseRequest request) throws FuseError, IOException {
        tree.released(handles.close(request.int64(0)));
    }

    void read(FuseRequest request, FuseReply reply, FaultPlan plan) throws FuseError, IOException {
        FileNode file = handles.file(request.int64(0));
        long offset = request.int64(8);
        int size = request.int32(16);
        if (size < 0 || size > FuseConnection.MAXIMUM_WRITE_BYTES) {
            throw new FuseError(Errno.EINVAL);
        }
        refuseUnaligned(request.int32(32), offset, size);
        MemorySegment target = reply.room(size);
        int count = file.content.read(offset, target);
        reply.shorten(size - count);
        if (plan.flipBit() && count > 0) {
            byte damaged = (byte) (target.get(ValueLayout.JAVA_BYTE, count / 2) ^ 0x10);
            target.set(ValueLayout.JAVA_BYTE, count / 2, damaged);
        }
        counters.reads.increment();
        counters.bytesRead.add(count);
    }

    void write(FuseRequest request, FuseReply reply, FaultPlan plan) throws FuseError, IOException {
        FileNode file = handles.file(request.int64(0));
        long offset = request.int64(8);
        int size = request.int32(16);
        int flags = request.int32(32);
        refuseUnaligned(flags, offset, size);
        counters.writes.increment();
        counters.bytesWritten.add(size);
        if (plan.swallow()) {
            counters.swallowed.increment();
        } else {
            long place = Math.max(0, offset + plan.misdirectBytes());
            file.content.write(place, request.data(WRITE_BODY_BYTES, size));
            file.modifiedNanos = System.currentTimeMillis() * NANOS_PER_MILLI;
        }
        // Direct writes of a file opened with O_DSYNC, or made with RWF_DSYNC, are not followed by an fsync request:
        // the flag on the write itself is all that asks for durability.
        if (OpenFlags.syncsData(flags)) {
            sync(file, !OpenFlags.syncsAll(flags), plan);
        } else if (tree.unsyncedBytes() > options.unsyncedLimitBytes()) {
            tree.sync(file, true);
            counters.writtenBack.increment();
        }
        reply.int32(size).int32(0);
    }

    private void refuseUnaligned(int flags, long offset, int size) throws FuseError {
        if (options.alignedDirectIo()
                && OpenFlags.direct(flags)
                && ((offset | size) & (DIRECT_ALIGNMENT_BYTES - 1)) != 0) {
            throw new FuseError(Errno.EINVAL);
        }
    }

    void sync(FuseRequest request, FaultPlan plan) throws FuseError, IOException {
        sync(handles.file(request.int64(0)), (request.int32(8) & 1) != 0, plan);
    }

    private void sync(FileNode file, boolean dataOnly, FaultPlan plan) throws FuseError, IOException {
        counters.syncs.increment();
        if (plan.syncErrno() != 0) {
            file.content.loseUnsynced();
            counters.failed.increment();
            throw new FuseError(plan.syncErrno());
        }
        if (faults.ignoresSync()) {
            counters.ignoredSyncs.increment();
        } else {
            tree.sync(file, dataOnly);
        }
    }

    void syncDirectory(FuseRequest request, FaultPlan plan) throws FuseError, IOException {
        counters.syncs.increment();
        if (plan.syncErrno() != 0) {
            counters.failed.increment();
            throw new FuseError(plan.syncErrno());
        }
        if (!(tree.node(request.nodeId()) instanceof DirectoryNode directory)) {
            throw new FuseError(Errno.ENOTDIR);
        }
        if (faults.ignoresSync()) {
            counters.ignoredSyncs.increment();
        } else {
            tree.sync(directory);
        }
    }

    void allocate(FuseRequest request) throws FuseError {
        FileContent content = handles.file(request.int64(0)).content;
        long offset = request.int64(8);
        long length = request.int64(16);
        int mode = request.int32(24);
        boolean zeroes = (mode & (FALLOCATE_PUNCH_HOLE | FALLOCATE_ZERO_RANGE)) != 0;
        if ((mode & ~(FALLOCATE_KEEP_SIZE | FALLOCATE_PUNCH_HOLE | FALLOCATE_ZERO_RANGE)) != 0) {
            throw new FuseError(Errno.EOPNOTSUPP);
        }
        if (zeroes) {
            content.zero(offset, length);
        }
        if ((mode & FALLOCATE_KEEP_SIZE) == 0 && offset + length > content.sizeBytes()) {
            content.resize(offset + length);
        }
    }
}
