package io.gabion.node.kubernetes;

import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gabion.api.certificate.ClusterIdentity;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.time.Pause;
import io.gabion.api.v1alpha1.NodeDisk;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import io.gabion.process.Readiness;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a storage process must learn from the API before it can start. Waits as long as it takes, and says what for. */
public final class NodeAssignment {
    private static final Logger LOG = LoggerFactory.getLogger(NodeAssignment.class);
    private static final Duration POLL = Duration.ofSeconds(2);
    /** One line per so many rounds. */
    private static final int LOG_EVERY = 30;

    private final KubernetesClient client;
    private final Readiness readiness;

    /**
     * The disk to open.
     *
     * @param unused disks of the specification that this version does not open
     */
    public record Disk(String pool, Path directory, OptionalLong capacityBytes, List<NodeDisk> unused) {
        public Disk {
            unused = List.copyOf(unused);
        }
    }

    public NodeAssignment(KubernetesClient client, Readiness readiness) {
        this.client = client;
        this.readiness = readiness;
    }

    /** The identity of the cluster, as the StorageCluster says. */
    public ClusterId cluster() throws InterruptedException {
        return await(
                "StorageCluster " + StorageCluster.NAME + " has no status.clusterId yet; the operator writes it",
                false,
                () -> ClusterIdentity.read(client));
    }

    /** The first disk of this node's StorageNode. A node without a task is ready: it does all that is asked of it. */
    public Disk disk(NodeName self) throws InterruptedException {
        return await(
                "StorageNode " + self
                        + " names no disk: no StoragePool selects this node, or the operator does not run",
                true,
                () -> {
                    StorageNode found = client.resources(StorageNode.class)
                            .withName(self.value())
                            .get();
                    return found == null || found.getSpec().getDisks().isEmpty()
                            ? Optional.empty()
                            : Optional.of(disk(found.getSpec().getDisks()));
                });
    }

    static Disk disk(List<NodeDisk> disks) {
        NodeDisk first = disks.getFirst();
        Path directory = Path.of(first.getDirectory());
        if (!directory.isAbsolute()) {
            throw new IllegalArgumentException(
                    "spec.disks[0].directory: \"" + directory + "\" is not an absolute path");
        }
        Quantity capacity = first.getCapacity();
        return new Disk(
                first.getPool(),
                directory,
                capacity == null
                        ? OptionalLong.empty()
                        : OptionalLong.of(VolumeRecords.bytes("spec.disks[0].capacity", capacity)),
                disks.subList(1, disks.size()));
    }

    private <T> T await(String obstacle, boolean isIdle, Supplier<Optional<T>> question) throws InterruptedException {
        for (int round = 0; ; round++) {
            String reason = obstacle;
            boolean idle = isIdle;
            try {
                Optional<T> answer = question.get();
                if (answer.isPresent()) {
                    return answer.get();
                }
            } catch (KubernetesClientException e) {
                reason = ApiCalls.describe(e);
                idle = false;
            } catch (IllegalArgumentException e) {
                reason = String.valueOf(e.getMessage());
                idle = false;
            }
            if (idle) {
                readiness.ready();
            } else {
                readiness.notReady("waiting: " + reason);
            }
            if (round % LOG_EVERY == 0) {
                LOG.info("waiting: {}", reason);
            }
            Pause.REAL.last(POLL);
        }
    }
}
