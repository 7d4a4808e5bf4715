package io.gabion.configstore;

import io.gabion.process.BuildVersion;
import io.gabion.process.HealthServer;
import io.gabion.process.Probe;
import io.gabion.process.Program;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlServers;
import io.gabion.protocol.control.ControlTls;
import io.gabion.protocol.control.HostPort;
import io.grpc.Server;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * The stand-alone configuration store: compare-and-swap on one record per volume, disk and pool, durable before it is answered,
 * under mutual TLS.
 */
public final class ConfigurationStoreServer implements AutoCloseable {
    private static final int EXIT_FAILURE = 1;
    /** A stopping server lets running calls end; a batch takes one sync. */
    private static final int DRAIN_SECONDS = 2;

    private final RecordStore store;
    private final ExecutorService calls;
    private final Server server;
    private final @Nullable HealthServer metricsServer;

    private ConfigurationStoreServer(
            RecordStore store, ExecutorService calls, Server server, @Nullable HealthServer metricsServer) {
        this.store = store;
        this.calls = calls;
        this.server = server;
        this.metricsServer = metricsServer;
    }

    /** Entry point of the program; it ends with 1 when it cannot go on, too. */
    public static void main(String[] arguments) {
        new Program("gabion-configuration-store", ServerArguments.USAGE, "logback-configuration-store.xml")
                .run(arguments, words -> Optional.of(start(ServerArguments.parse(words))));
    }

    private static ConfigurationStoreServer start(ServerArguments parsed) throws IOException {
        ControlTls tls = ControlTls.load(parsed.cluster(), parsed.certificate(), parsed.key(), parsed.ca());
        // A failed sync: only reading the log again tells what is durable, so no orderly end.
        ConfigurationStoreServer running =
                start(parsed.data(), parsed.listen().resolve(), parsed.metricsListen(), tls, () -> Runtime.getRuntime()
                        .halt(EXIT_FAILURE));
        LoggerFactory.getLogger(ConfigurationStoreServer.class)
                .info(
                        "configuration store {} of cluster {} serves {}:{}, metrics on port {}, data in {}",
                        BuildVersion.text(),
                        parsed.cluster(),
                        parsed.listen().host(),
                        running.port(),
                        running.metricsPort().map(String::valueOf).orElse("none"),
                        parsed.data());
        return running;
    }

    /**
     * Starts a store in this process.
     *
     * @param onBroken called when the disk failed a sync; the store answers nothing any more
     */
    public static ConfigurationStoreServer start(
            Path data, InetSocketAddress listen, Optional<HostPort> metricsListen, ControlTls tls, Runnable onBroken)
            throws IOException {
        if (tls.self().role() != ControlRole.CONFIGURATION_STORE) {
            throw new IOException("--certificate is " + tls.self() + "; the configuration store's role is "
                    + ControlRole.CONFIGURATION_STORE.word());
        }
        StoreMetrics metrics = new StoreMetrics();
        RecordStore store = new RecordStore(data, tls.cluster(), metrics, onBroken);
        ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();
        Server server = null;
        try {
            server = ControlServers.startSecure(
                    listen,
                    tls,
                    Set.of(ControlRole.NODE, ControlRole.OPERATOR),
                    calls,
                    List.of(new ConfigurationStoreService(store), new SnapshotRecordsService(store)));
            HealthServer metricsServer = metricsListen.isPresent() ? startMetrics(metricsListen.get(), metrics) : null;
            return new ConfigurationStoreServer(store, calls, server, metricsServer);
        } catch (IOException | RuntimeException e) {
            if (server != null) {
                server.shutdownNow();
            }
            calls.shutdownNow();
            store.close();
            throw e;
        }
    }

    private static HealthServer startMetrics(HostPort address, StoreMetrics metrics) throws IOException {
        InetSocketAddress resolved = address.resolve();
        if (!resolved.getAddress().isLoopbackAddress()) {
            throw new IOException("--metrics-listen " + address
                    + " is not a loopback address: the endpoint has no TLS, put a proxy in front of it");
        }
        return HealthServer.start(resolved, metrics.registry(), Probe.FINE, Probe.FINE);
    }

    /** The port of the control interface. */
    public int port() {
        return server.getPort();
    }

    public Optional<Integer> metricsPort() {
        return Optional.ofNullable(metricsServer).map(HealthServer::port);
    }

    /** Stops taking calls, lets running ones end, closes the log. */
    @Override
    public void close() {
        server.shutdown();
        try {
            store.close();
            if (!server.awaitTermination(DRAIN_SECONDS, TimeUnit.SECONDS)) {
                server.shutdownNow();
            }
        } catch (IOException e) {
            System.err.println("gabion-configuration-store: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        calls.shutdownNow();
        if (metricsServer != null) {
            metricsServer.close();
        }
    }
}
