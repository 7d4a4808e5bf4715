package io.gabion.node;

import io.gabion.node.configstore.ConfigurationStore;
import io.gabion.node.configstore.ConfigurationStoreClient;
import io.gabion.node.metrics.NodeMetrics;
import io.gabion.process.HealthServer;
import io.gabion.process.Readiness;
import io.gabion.protocol.control.ControlChannels;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlTls;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;

/**
 * What differs between the surroundings in which a storage process runs.
 *
 * @param metricsServer may answer probes long before the node exists
 */
record NodeGround(
        NodeMetrics metrics, Readiness readiness, HealthServer metricsServer, StoreOpening store, DiskOpening disk) {
    /** Makes the way to the configuration store. */
    @FunctionalInterface
    interface StoreOpening {
        /** @param timer of the node; its tasks may not block */
        ConfigurationStore open(NodeOptions options, ControlTls tls, ScheduledExecutorService timer) throws IOException;
    }

    /** The stand-alone configuration store. */
    static ConfigurationStore standAlone(NodeOptions options, ControlTls tls, ScheduledExecutorService timer)
            throws IOException {
        InetSocketAddress address =
                options.configurationStore().orElseThrow(() -> new StartException("--configuration-store is missing"));
        return new ConfigurationStoreClient(
                ControlChannels.secure(
                        address.getHostString(), address.getPort(), tls, Set.of(ControlRole.CONFIGURATION_STORE)),
                "configuration store " + address.getHostString() + ":" + address.getPort(),
                options.name(),
                timer);
    }
}
