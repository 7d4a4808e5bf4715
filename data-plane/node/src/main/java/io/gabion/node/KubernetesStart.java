package io.gabion.node;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.gabion.api.certificate.CertificateFiles;
import io.gabion.api.certificate.CertificateRequests;
import io.gabion.api.certificate.Identity;
import io.gabion.api.time.Pause;
import io.gabion.model.ClusterId;
import io.gabion.node.kubernetes.KubernetesConfigurationStore;
import io.gabion.node.kubernetes.NodeAssignment;
import io.gabion.node.kubernetes.NodeUpkeep;
import io.gabion.node.metrics.NodeMetrics;
import io.gabion.process.HealthServer;
import io.gabion.process.Probe;
import io.gabion.process.Readiness;
import io.gabion.protocol.control.ControlRole;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The start of a storage process on Kubernetes. Probes are answered from the first moment on; the process waits until the API
 * told its cluster, its certificate and its disk, then it starts as everywhere else.
 */
final class KubernetesStart {
    private static final Logger LOG = LoggerFactory.getLogger(KubernetesStart.class);
    private static final String CERTIFICATES = "certificates";
    /** The old certificate lives for days yet. */
    private static final int RELOAD_ATTEMPTS = 60;

    private static final Duration RELOAD_PAUSE = Duration.ofSeconds(5);

    private final KubernetesOptions options;
    private final KubernetesClient client;
    private final NodeMetrics metrics = new NodeMetrics();
    private final Readiness readiness = new Readiness();
    private final CompletableFuture<KubernetesConfigurationStore> store = new CompletableFuture<>();

    private KubernetesStart(KubernetesOptions options, KubernetesClient client) {
        this.options = options;
        this.client = client;
    }

    /** Uses the API server that the pod's service account or {@code KUBECONFIG} names. */
    static StorageNode run(KubernetesOptions options) throws StartException, InterruptedException {
        return run(options, KubernetesConfigurationStore.connect());
    }

    /** {@code client} is closed with the node. */
    static StorageNode run(KubernetesOptions options, KubernetesClient client)
            throws StartException, InterruptedException {
        return new KubernetesStart(options, client).run();
    }

    private StorageNode run() throws StartException, InterruptedException {
        HealthServer server;
        try {
            server = HealthServer.start(options.metricsListen(), metrics.registry(), Probe.FINE, readiness);
        } catch (IOException e) {
            throw new StartException(String.valueOf(e.getMessage()), e);
        }
        NodeAssignment assignment = new NodeAssignment(client, readiness);
        ClusterId cluster = options.cluster().isPresent() ? options.cluster().get() : assignment.cluster();
        Optional<CertificateRequests> requests = options.certificate().isPresent()
                ? Optional.empty()
                : Optional.of(CertificateRequests.of(
                        client,
                        new Identity(
                                cluster, ControlRole.NODE.word(), options.name().value()),
                        options.data().resolve(CERTIFICATES)));
        CertificateFiles certificate = requests.isPresent()
                ? obtain(requests.get())
                : options.certificate().orElseThrow();
        NodeAssignment.Disk disk = assignment.disk(options.name());
        readiness.notReady("opening the disk in " + disk.directory());
        NodeOptions complete = options.with(cluster, certificate, disk.pool(), disk.directory(), disk.capacityBytes());
        return start(complete, disk, server, requests);
    }

    private CertificateFiles obtain(CertificateRequests requests) throws StartException, InterruptedException {
        readiness.notReady("waiting for its certificate");
        try {
            return requests.obtain();
        } catch (IOException e) {
            throw new StartException(String.valueOf(e.getMessage()), e);
        }
    }

    private StorageNode start(
            NodeOptions complete, NodeAssignment.Disk disk, HealthServer server, Optional<CertificateRequests> requests)
            throws StartException {
        NodeGround ground = new NodeGround(
                metrics,
                readiness,
                server,
                (o, tls, timer) -> {
                    KubernetesConfigurationStore made =
                            new KubernetesConfigurationStore(client, o.name(), o.bootId(), timer).start();
                    store.complete(made);
                    return made;
                },
                StoreDisk::open);
        StorageNode node;
        try {
            node = StorageNode.start(complete, ground);
        } catch (StartException e) {
            NodeUpkeep.reportFailure(client, options.name(), disk, String.valueOf(e.getMessage()));
            throw e;
        }
        NodeUpkeep upkeep =
                new NodeUpkeep(store.join(), options.name(), disk, node.report(), node.replicas(), readiness);
        upkeep.start();
        node.closeWithIt(upkeep::close);
        requests.ifPresent(r -> {
            Thread renewal = r.keepFresh(() -> renewed(node));
            node.closeWithIt(renewal::interrupt);
        });
        node.closeWithIt(client::close);
        return node;
    }

    private static void renewed(StorageNode node) {
        for (int attempt = 1; attempt <= RELOAD_ATTEMPTS; attempt++) {
            try {
                node.reloadCertificates();
                return;
            } catch (IOException e) {
                LOG.error("the renewed certificate is not in use yet: {}", e.getMessage());
                if (!pause()) {
                    return;
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private static boolean pause() {
        try {
            Pause.REAL.last(RELOAD_PAUSE);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
