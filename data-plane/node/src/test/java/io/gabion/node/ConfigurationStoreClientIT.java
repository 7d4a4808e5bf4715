package io.gabion.node;

import io.gabion.model.NodeName;
import io.gabion.model.VolumeRecord;
import io.gabion.node.configstore.ConfigurationStore;
import io.gabion.node.configstore.ConfigurationStoreClient;
import io.gabion.node.configstore.ConfigurationStoreContract;
import io.gabion.protocol.control.ControlChannels;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlTls;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The client of the stand-alone configuration store against the real server. */
@Timeout(120)
class ConfigurationStoreClientIT implements ConfigurationStoreContract {
    private static final long MIB = 1 << 20;

    @TempDir
    private Path directory;

    private Cluster cluster;
    private ConfigurationStoreClient client;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

    @BeforeEach
    void start() throws Exception {
        cluster = new Cluster(directory);
        ControlTls tls = ControlTls.load(
                cluster.id(), cluster.ca("node-n1.pem"), cluster.ca("node-n1.key"), cluster.ca("ca.pem"));
        client = new ConfigurationStoreClient(
                ControlChannels.secure("127.0.0.1", cluster.storePort(), tls, Set.of(ControlRole.CONFIGURATION_STORE)),
                "configuration store",
                new NodeName("n1"),
                timer);
    }

    @AfterEach
    void stop() {
        client.close();
        timer.shutdownNow();
        cluster.close();
    }

    @Override
    public ConfigurationStore store() {
        return client;
    }

    @Override
    public VolumeRecord createVolume() {
        return cluster.createVolume(MIB, new NodeName("a1"));
    }

    @Override
    public void stopStore() {
        cluster.stopStore();
    }

    @Override
    public void restartStore() throws IOException {
        cluster.restartStore();
    }
}
