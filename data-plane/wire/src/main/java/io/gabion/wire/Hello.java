package io.gabion.wire;

import static java.util.Objects.requireNonNull;

import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import java.util.UUID;

/**
 * How a process introduces itself on every connection, both ways.
 *
 * @param minVersion lowest protocol version that it speaks
 * @param maxVersion highest protocol version that it speaks; the highest common one is used
 * @param node the machine it runs on; must be the name in its certificate, as must role and cluster
 * @param process new at every start of the process
 * @param boot of the machine; another one means that its memory was lost
 * @param softwareVersion for people, at most {@link #MAX_SOFTWARE_VERSION} characters
 */
public record Hello(
        int minVersion,
        int maxVersion,
        Role role,
        ClusterId cluster,
        NodeName node,
        UUID process,
        UUID boot,
        String softwareVersion) {
    /** Protocol versions that this code speaks. */
    public static final int LOWEST_VERSION = 1;

    public static final int HIGHEST_VERSION = 1;
    public static final int MAX_SOFTWARE_VERSION = 64;

    private static final int VERSION_LIMIT = 0xFFFF;

    public Hello {
        requireNonNull(role, "role is null");
        requireNonNull(cluster, "cluster is null");
        requireNonNull(node, "node is null");
        requireNonNull(process, "process is null");
        requireNonNull(boot, "boot is null");
        requireNonNull(softwareVersion, "softwareVersion is null");
        if (minVersion < 1 || maxVersion < minVersion || maxVersion > VERSION_LIMIT) {
            throw new IllegalArgumentException("protocol versions " + minVersion + " to " + maxVersion);
        }
        if (softwareVersion.length() > MAX_SOFTWARE_VERSION) {
            throw new IllegalArgumentException("softwareVersion has more than " + MAX_SOFTWARE_VERSION + " characters");
        }
    }

    /** This process, speaking the versions that this code knows; {@code process} is drawn anew. */
    public static Hello of(Role role, ClusterId cluster, NodeName node, UUID boot, String softwareVersion) {
        return new Hello(
                LOWEST_VERSION, HIGHEST_VERSION, role, cluster, node, UUID.randomUUID(), boot, softwareVersion);
    }

    /** The name that the certificate of this process must carry. */
    public PeerIdentity identity() {
        return new PeerIdentity(cluster, role, node);
    }
}
