package io.gabion.csi.backend;

import io.gabion.model.NodeName;
import io.gabion.model.VolumeConfig;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Volumes as the cluster knows them, and the few changes that a driver may ask for. Reads of one volume are never older than a
 * change that was answered before. Every call may throw {@link BackendUnavailableException}.
 */
public interface VolumeBackend {
    /** Changes the configuration of a volume; called again when somebody else was faster. */
    @FunctionalInterface
    interface ConfigChange {
        /**
         * The configuration that follows, or the same instance when nothing is to do. May throw to refuse.
         *
         * @param writer name of this proposal, for {@link VolumeConfig#writer()}
         */
        VolumeConfig next(StoredVolume volume, VolumeConfig config, String writer);
    }

    Optional<StoredVolume> find(String name);

    /** All volumes in the order of their names; may lag a little. */
    List<StoredVolume> list();

    /** How many volumes the machine may open; may lag more than {@link #list}, and costs nothing. */
    int attachedTo(NodeName node);

    /** Creates the volume, or returns the one that has the name already, whatever it is like. */
    StoredVolume create(NewVolume volume);

    /** Asks for deletion; no error when it is gone or another one has the name. */
    void delete(StoredVolume volume);

    /** Asks for another specification. A refusal of the cluster is an {@link IllegalArgumentException} with its words. */
    StoredVolume changeSettings(StoredVolume volume, VolumeSettings settings);

    /** Compare-and-swap of the configuration, until it is done; empty when volume or configuration are gone. */
    Optional<StoredVolume> changeConfig(String name, ConfigChange change);

    /** Waits until the volume (or its absence) satisfies the condition, or the time is over; returns the last state seen. */
    Optional<StoredVolume> await(String name, Predicate<Optional<StoredVolume>> condition, Duration limit)
            throws InterruptedException;

    /** Whether the orchestrator has a machine of this name. */
    boolean nodeExists(NodeName node);

    Optional<StoredPool> pool(String name);

    /** What the storage nodes of a pool may still promise; may lag. */
    List<StoredPool.Room> rooms(String pool);

    List<String> poolNames();

    /** Throws when the cluster cannot be asked. */
    void probe();
}
