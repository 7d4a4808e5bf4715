package io.gabion.agent;

import static java.util.Objects.requireNonNull;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gabion.api.certificate.CertificateFiles;
import io.gabion.api.certificate.CertificateRequests;
import io.gabion.api.certificate.ClusterIdentity;
import io.gabion.api.certificate.Identity;
import io.gabion.api.time.Pause;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import io.gabion.process.Readiness;
import io.gabion.wire.PeerIdentity;
import io.gabion.wire.Role;
import io.gabion.wire.TlsEngine;
import io.gabion.wire.TlsIdentity;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who an agent on Kubernetes is: the cluster as the StorageCluster says, the certificate by request. Both are kept in the
 * certificate's files, so that a process that takes the place of a dead one asks nobody: its users wait meanwhile, and the API
 * server may be away.
 */
final class KubernetesIdentity {
    private static final Logger LOG = LoggerFactory.getLogger(KubernetesIdentity.class);
    private static final String CERTIFICATES = "certificates";
    /** A kept certificate is used while it is good for so long at least: much longer than its renewal takes. */
    private static final Duration ENOUGH = Duration.ofMinutes(15);

    private static final Duration POLL = Duration.ofSeconds(2);
    /** A refused request is not made again at once: people have to look at it. */
    private static final Duration AFTER_REFUSAL = Duration.ofSeconds(30);
    /** How often a running process compares its cluster with the one that the API names. */
    private static final Duration LOOK_EVERY = Duration.ofMinutes(5);

    private static final int REQUEST_MILLIS = 5_000;
    private static final int CONNECT_MILLIS = 3_000;

    private final NodeName name;
    private final Path directory;
    private final TlsEngine.Choice engine;
    private final Readiness readiness;
    private final Supplier<KubernetesClient> connector;
    private final InstantSource clock;

    /**
     * @param directory of the agent; what must survive the process is kept below it
     * @param connector makes a client when one is needed; it is closed here
     */
    KubernetesIdentity(
            NodeName name,
            Path directory,
            TlsEngine.Choice engine,
            Readiness readiness,
            Supplier<KubernetesClient> connector,
            InstantSource clock) {
        this.name = requireNonNull(name, "name is null");
        this.directory = directory.resolve(CERTIFICATES);
        this.engine = requireNonNull(engine, "engine is null");
        this.readiness = requireNonNull(readiness, "readiness is null");
        this.connector = requireNonNull(connector, "connector is null");
        this.clock = requireNonNull(clock, "clock is null");
    }

    /** In a pod as its service account; else as the environment variable {@code KUBECONFIG} says. */
    static KubernetesClient connect() {
        Config config = Config.autoConfigure(null);
        config.setRequestTimeout(REQUEST_MILLIS);
        config.setConnectionTimeout(CONNECT_MILLIS);
        // Whoever asks here asks again by itself.
        config.setRequestRetryBackoffLimit(0);
        config.setUserAgent("gabion-agent");
        return new KubernetesClientBuilder().withConfig(config).build();
    }

    /** The kept certificate, or a new one. Waits for the operator as long as it takes. */
    TlsIdentity obtain() throws IOException, InterruptedException {
        Optional<TlsIdentity> kept = kept();
        if (kept.isPresent()) {
            return kept.get();
        }
        try (KubernetesClient client = connector.get()) {
            CertificateFiles files = request(client, cluster(client));
            return TlsIdentity.load(files.ca(), files.certificate(), files.key(), engine);
        }
    }

    private CertificateFiles request(KubernetesClient client, ClusterId cluster) throws InterruptedException {
        while (true) {
            try {
                readiness.notReady("waiting for its certificate");
                return requests(client, cluster).obtain();
            } catch (IOException e) {
                LOG.error("no certificate yet: {}", e.getMessage());
                readiness.notReady("no certificate yet: " + e.getMessage());
            }
            Pause.REAL.last(AFTER_REFUSAL);
        }
    }

    private CertificateRequests requests(KubernetesClient client, ClusterId cluster) {
        return CertificateRequests.of(client, new Identity(cluster, Role.AGENT.text(), name.value()), directory);
    }

    private Optional<TlsIdentity> kept() {
        CertificateFiles files = CertificateFiles.in(directory);
        if (!Files.exists(files.certificate())) {
            return Optional.empty();
        }
        try {
            if (clock.instant().plus(ENOUGH).isAfter(expiry(files.certificate()))) {
                return Optional.empty();
            }
            TlsIdentity found = TlsIdentity.load(files.ca(), files.certificate(), files.key(), engine);
            PeerIdentity who = found.identity();
            return who.role() == Role.AGENT && who.node().equals(name) ? Optional.of(found) : Optional.empty();
        } catch (IOException e) {
            LOG.warn("the kept certificate is not used: {}", e.getMessage());
            return Optional.empty();
        }
    }

    private static Instant expiry(Path certificate) throws IOException {
        try (InputStream in = Files.newInputStream(certificate)) {
            X509Certificate leaf =
                    (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
            return leaf.getNotAfter().toInstant();
        } catch (CertificateException e) {
            throw new IOException(certificate + " is no certificate: " + e.getMessage(), e);
        }
    }

    private ClusterId cluster(KubernetesClient client) throws InterruptedException {
        String logged = "";
        while (true) {
            String obstacle;
            try {
                Optional<ClusterId> found = ClusterIdentity.read(client);
                if (found.isPresent()) {
                    return found.get();
                }
                obstacle = "StorageCluster " + StorageCluster.NAME + " has no status.clusterId; the operator writes it";
            } catch (KubernetesClientException e) {
                obstacle = "the API server does not tell the cluster: " + reason(e);
            } catch (IllegalArgumentException e) {
                obstacle = "StorageCluster " + StorageCluster.NAME + ": status.clusterId: " + e.getMessage();
            }
            readiness.notReady("waiting: " + obstacle);
            if (!obstacle.equals(logged)) {
                LOG.info("waiting: {}", obstacle);
                logged = obstacle;
            }
            Pause.REAL.last(POLL);
        }
    }

    private static String reason(KubernetesClientException e) {
        if (e.getStatus() != null && e.getStatus().getMessage() != null) {
            return e.getStatus().getMessage();
        }
        return String.valueOf((e.getCause() == null ? e : e.getCause()).getMessage());
    }

    /**
     * Renews the certificate in time, and watches that the cluster is still the same one.
     *
     * @param rest before the first look: a process that just started has better things to do
     * @param otherCluster called when it is another; the certificate of the former one is gone by then
     * @return ends it
     */
    AutoCloseable keepFresh(TlsIdentity tls, Duration rest, Runnable otherCluster) {
        Thread watching = Thread.ofVirtual().name("gabion-identity").start(() -> {
            try {
                Pause.REAL.last(rest);
                watch(tls, otherCluster);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (IOException | RuntimeException e) {
                LOG.error("the certificate is not renewed any more", e);
            }
        });
        return watching::interrupt;
    }

    private void watch(TlsIdentity tls, Runnable otherCluster) throws IOException, InterruptedException {
        ClusterId cluster = tls.identity().cluster();
        try (KubernetesClient client = connector.get()) {
            Thread renewing = requests(client, cluster).keepFresh(() -> reload(tls));
            try {
                awaitOther(client, cluster);
                Files.deleteIfExists(CertificateFiles.in(directory).certificate());
                otherCluster.run();
            } finally {
                renewing.interrupt();
            }
        }
    }

    private static void reload(TlsIdentity tls) {
        try {
            tls.reload();
        } catch (IOException e) {
            LOG.error("the renewed certificate is not in use yet: {}", e.getMessage());
        }
    }

    private static void awaitOther(KubernetesClient client, ClusterId cluster) throws InterruptedException {
        while (true) {
            try {
                Optional<ClusterId> now = ClusterIdentity.read(client);
                if (now.isPresent() && !now.get().equals(cluster)) {
                    LOG.error("the cluster is {} now, this agent's certificate is for {}", now.get(), cluster);
                    return;
                }
            } catch (KubernetesClientException | IllegalArgumentException e) {
                LOG.debug("the API server is away: {}", e.getMessage());
            }
            Pause.REAL.last(LOOK_EVERY);
        }
    }
}
