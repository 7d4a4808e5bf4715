package io.gabion.csi.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gabion.api.certificate.CertificateFiles;
import io.gabion.api.certificate.CertificateRequests;
import io.gabion.api.certificate.ClusterIdentity;
import io.gabion.api.certificate.Identity;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.model.ClusterId;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlTls;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The controller's certificate towards storage nodes. It is asked for in the background: creating volumes does not need it, and a
 * volume whose old session cannot be confirmed as ended is not given away meanwhile.
 */
final class DriverCertificate implements NodeControlWitness.TlsSource, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DriverCertificate.class);
    /** The ServiceAccount, which the operator knows. */
    private static final String NAME = "gabion-csi-controller";

    private static final Duration RETRY = Duration.ofSeconds(5);

    private final KubernetesClient client;
    private final Path directory;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread;
    private volatile @Nullable ControlTls tls;
    private volatile String obstacle = "the certificate is being asked for";

    private DriverCertificate(KubernetesClient client, Path directory) {
        this.client = client;
        this.directory = directory;
        this.thread = Thread.ofVirtual().name("certificate").unstarted(this::run);
    }

    /** @param directory for the certificate and its key; the key leaves it for nobody */
    static DriverCertificate start(KubernetesClient client, Path directory) {
        DriverCertificate certificate = new DriverCertificate(client, directory);
        certificate.thread.start();
        return certificate;
    }

    @Override
    public ControlTls current() throws IOException {
        ControlTls current = tls;
        if (current == null) {
            throw new IOException(obstacle);
        }
        return current;
    }

    private void run() {
        try {
            while (closed.getCount() > 0) {
                Optional<ClusterId> cluster = cluster();
                if (cluster.isPresent() && obtain(cluster.get())) {
                    return;
                }
                closed.await(RETRY.toMillis(), TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Optional<ClusterId> cluster() {
        try {
            Optional<ClusterId> cluster = ClusterIdentity.read(client);
            if (cluster.isPresent()) {
                return cluster;
            }
            obstacle = "StorageCluster \"" + StorageCluster.NAME
                    + "\" has no status.clusterId yet; the operator writes it";
        } catch (KubernetesClientException | IllegalArgumentException e) {
            obstacle = "the identity of the cluster cannot be read: " + e.getMessage();
        }
        return Optional.empty();
    }

    private boolean obtain(ClusterId cluster) throws InterruptedException {
        CertificateRequests requests = CertificateRequests.of(
                client, new Identity(cluster, ControlRole.CSI_CONTROLLER.word(), NAME), directory);
        obstacle = "the operator has not signed the certificate yet";
        try {
            CertificateFiles files = requests.obtain();
            tls = load(cluster, files);
            Thread renewal = requests.keepFresh(() -> reload(cluster, files));
            closed.await();
            renewal.interrupt();
            return true;
        } catch (IOException | RuntimeException e) {
            LOG.error("no certificate for {}: {}", NAME, e.getMessage());
            obstacle = String.valueOf(e.getMessage());
            return false;
        }
    }

    private void reload(ClusterId cluster, CertificateFiles files) {
        try {
            tls = load(cluster, files);
        } catch (IOException e) {
            LOG.error("the renewed certificate cannot be used: {}", e.getMessage());
        }
    }

    private static ControlTls load(ClusterId cluster, CertificateFiles files) throws IOException {
        return ControlTls.load(cluster, files.certificate(), files.key(), files.ca());
    }

    @Override
    public void close() {
        closed.countDown();
        thread.interrupt();
    }
}
