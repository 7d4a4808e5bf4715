package io.gabion.faults.powerloss;

import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A file or directory as processes see it now. Its names exist twice: those of now, and those that survive a power
 * loss because the journal committed them. Names change only under the lock of the {@link NodeTree}.
 */
abstract sealed class Node permits DirectoryNode, FileNode {
    /** One name of a node. */
    record Name(DirectoryNode parent, String text) {}

    final long id;
    final Set<Name> names = new LinkedHashSet<>();
    final Set<Name> durableNames = new LinkedHashSet<>();
    /** What the kernel holds of this node; at zero it may be dropped when nothing else needs it. */
    final AtomicLong lookups = new AtomicLong();

    volatile int permissions;
    volatile int uid;
    volatile int gid;
    volatile long modifiedNanos;
    /** The last record of the journal that concerns this node: fsync commits up to here. */
    volatile long lastRecord;
    /** The record without which the node's data cannot be found: fdatasync commits up to here. */
    volatile long lastDataRecord;
    /** Path below the mount point, for faults and reports; an unlinked file keeps its last one. */
    volatile String path = "";

    Node(long id, int permissions) {
        this.id = id;
        this.permissions = permissions;
    }

    abstract int typeBits();

    abstract long sizeBytes();

    abstract int linkCount();
}
