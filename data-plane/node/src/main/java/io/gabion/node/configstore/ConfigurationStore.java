package io.gabion.node.configstore;

import io.gabion.model.DiskId;
import io.gabion.model.DiskRecord;
import io.gabion.model.NodeRecord;
import io.gabion.model.VolumeRecord;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * All that a storage node asks of the configuration store, whichever it is. Calls return at once; answers arrive on any thread,
 * exactly once, within a bounded time.
 */
public interface ConfigurationStore extends VolumeConfigurations, AutoCloseable {
    /** True when the last call was answered. */
    boolean reachable();

    /** Swaps that wait for their turn. */
    int swapsWaiting();

    /** Volumes that are being deleted and that this node may have to finish with; perhaps none where others do that. */
    void listDeleting(Consumer<List<VolumeRecord>> value, Consumer<String> unavailable);

    /** Empty when the disk has no record yet. A disk may be recorded on another node: then that record is told. */
    void readDisk(DiskId disk, Consumer<Optional<DiskRecord>> value, Consumer<String> unavailable);

    /** Runs {@code won} only when the swap was certainly won; {@code problem} names why otherwise. */
    void swapDisk(DiskRecord next, Runnable won, Consumer<String> problem);

    /** Announces where this node is. */
    void putNode(NodeRecord node, Runnable done, Consumer<String> unavailable);

    void listNodes(Consumer<List<NodeRecord>> value, Consumer<String> unavailable);

    /**
     * Runs {@code changed} soon after a node changed, where the configuration store tells it; others are asked again and again.
     * Called on any thread.
     */
    default void whenNodesChange(Runnable changed) {}

    /**
     * Keeps a watch on the records of this node's volumes open, for ever. What it tells was true at some time. A record that
     * vanished is not told: it never deletes anything.
     *
     * @param listener called on any thread, one record at a time
     */
    void watch(Consumer<VolumeRecord> listener);

    /** Ends all calls; their answers still arrive (as failures). */
    @Override
    void close();
}
