package io.gabion.node;

/** The node's disk over the local store. */
final class StoreDisk {
    private StoreDisk() {}

    static ReplicaDisk open(NodeOptions options, Loop loop, DiskOpening.Listener listener) throws StartException {
        if (options.loops() > 0) {
            throw new StartException("no store yet " + options + loop + listener);
        }
        throw new IllegalStateException("no loops");
    }
}
