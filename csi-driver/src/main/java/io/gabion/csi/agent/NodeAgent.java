package io.gabion.csi.agent;

import io.gabion.csi.backend.StorageNodes;
import io.gabion.model.VolumeId;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The agent of this machine: it holds the sessions and gives each a block device. Every call is bounded in time and may throw
 * {@link io.gabion.csi.backend.BackendUnavailableException} when the agent does not answer, or
 * {@link io.gabion.csi.rpc.CsiFailure} with its refusal.
 */
public interface NodeAgent {
    /**
     * A session to open.
     *
     * @param nodes where to look for a primary; empty: where the agent was told last
     */
    record Order(VolumeId volume, String name, long generation, boolean readOnly, List<StorageNodes.Address> nodes) {}

    /**
     * A session and its device.
     *
     * @param name of the volume, as the order said
     * @param device empty while it has none
     */
    record Attached(VolumeId volume, String name, Optional<Path> device, State state) {}

    /** What a session is able to do. */
    enum State {
        /** Served, or about to be served again by another primary: requests wait, they do not fail. */
        SERVING,
        /** Taken away: every request fails from now on. */
        FENCED,
        /** Closed on request. */
        CLOSED
    }

    /** Opens the session, or finds it open; returns the device. */
    Path attach(Order order);

    /** Closes the session and takes the device away; no error when there is none. */
    void detach(VolumeId volume);

    List<Attached> attachments();

    /** Takes the volume's size over, waiting until it is {@code atLeastBytes}; returns it. */
    long resize(VolumeId volume, long atLeastBytes);

    /** Makes every request of the device fail at once. */
    void fail(VolumeId volume, String reason);

    /** Where sessions may look for a primary. */
    void updateNodes(List<StorageNodes.Address> nodes);
}
