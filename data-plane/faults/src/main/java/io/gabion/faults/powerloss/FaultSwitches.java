package io.gabion.faults.powerloss;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

/** The faults of one power-loss file system; everything may be switched at any time from any thread. */
public final class FaultSwitches {
    private final List<InjectedFault> injected = new CopyOnWriteArrayList<>();
    private final SpaceAccount space;
    private volatile boolean ignoreSync;

    FaultSwitches(SpaceAccount space) {
        this.space = space;
    }

    /** While true every sync is answered as done and nothing becomes durable by it. */
    public void ignoreSync(boolean ignore) {
        ignoreSync = ignore;
    }

    /** Writes that would raise the sum of all file sizes above this many bytes fail with ENOSPC. */
    public void limitSpace(long bytes) {
        space.limit(bytes);
    }

    public void unlimitSpace() {
        space.limit(Long.MAX_VALUE);
    }

    public InjectedFault inject(Fault fault) {
        InjectedFault work = new InjectedFault(fault, this);
        injected.add(work);
        return work;
    }

    /** Removes all injected faults, releases what hangs, ends {@code ignoreSync} and the space limit. */
    public void clear() {
        injected.forEach(InjectedFault::close);
        ignoreSync = false;
        unlimitSpace();
    }

    boolean ignoresSync() {
        return ignoreSync;
    }

    boolean idle() {
        return injected.isEmpty();
    }

    void remove(InjectedFault fault) {
        injected.remove(fault);
    }

    /** The effects on one operation; a write that syncs is met by faults on WRITE and by faults on SYNC. */
    FaultPlan plan(FileOperation operation, boolean alsoSyncs, String path) {
        Set<FileOperation> kinds = EnumSet.of(operation);
        if (alsoSyncs) {
            kinds.add(FileOperation.SYNC);
        }
        long delayNanos = 0;
        List<CompletableFuture<Void>> gates = new ArrayList<>();
        int errno = 0;
        int syncErrno = 0;
        boolean swallow = false;
        long misdirectBytes = 0;
        boolean flipBit = false;
        for (InjectedFault work : injected) {
            for (FileOperation kind : kinds) {
                if (work.meets(kind, path)) {
                    switch (work.fault().effect()) {
                        case FaultEffect.Fail(int number) -> {
                            if (kind == FileOperation.SYNC) {
                                syncErrno = number;
                            } else {
                                errno = number;
                            }
                        }
                        case FaultEffect.Delay(var duration) -> delayNanos += duration.toNanos();
                        case FaultEffect.Hang() -> gates.add(work.released());
                        case FaultEffect.Swallow() -> swallow = true;
                        case FaultEffect.Misdirect(long distance) -> misdirectBytes += distance;
                        case FaultEffect.FlipBit() -> flipBit = true;
                    }
                }
            }
        }
        return new FaultPlan(delayNanos, List.copyOf(gates), errno, syncErrno, swallow, misdirectBytes, flipBit);
    }
}
