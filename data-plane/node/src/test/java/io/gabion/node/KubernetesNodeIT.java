package io.gabion.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.gabion.api.record.NodeRecords;
import io.gabion.api.testing.RealApiServer;
import io.gabion.api.v1alpha1.DiskState;
import io.gabion.api.v1alpha1.NodeDisk;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.api.v1alpha1.StorageClusterSpec;
import io.gabion.api.v1alpha1.StorageNodeSpec;
import io.gabion.api.v1alpha1.StorageNodeStatus;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeRecord;
import io.gabion.node.kubernetes.ApiVolumes;
import io.gabion.node.kubernetes.KubernetesConfigurationStore;
import io.gabion.process.BuildVersion;
import io.gabion.process.UsageException;
import io.gabion.process.testing.Waiting;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A whole storage process on a real API server; the test plays the operator. */
@Tag("kubernetes")
@ExtendWith(RealApiServer.class)
@Timeout(180)
class KubernetesNodeIT {
    private static final NodeName SELF = new NodeName("n3");
    private static final long WAIT_SECONDS = 60;
    private static final PatchContext MERGE_PATCH = PatchContext.of(PatchType.JSON_MERGE);

    private final KubernetesClient administrator;
    private final ApiVolumes volumes;

    @TempDir
    private Path directory;

    private Cluster certificates;
    private final int metricsPort = Cluster.freePort();
    private final CompletableFuture<StorageNode> started = new CompletableFuture<>();

    KubernetesNodeIT(KubernetesClient administrator) {
        this.administrator = administrator;
        this.volumes = new ApiVolumes(administrator);
    }

    @BeforeEach
    void prepare() throws Exception {
        certificates = new Cluster(directory);
        administrator.resources(Volume.class).delete();
        administrator
                .resources(io.gabion.api.v1alpha1.StorageNode.class)
                .withName(SELF.value())
                .withTimeout(WAIT_SECONDS, TimeUnit.SECONDS)
                .delete();
        administrator
                .resources(StorageCluster.class)
                .withName(StorageCluster.NAME)
                .withTimeout(WAIT_SECONDS, TimeUnit.SECONDS)
                .delete();
        StorageCluster cluster = new StorageCluster();
        cluster.getMetadata().setName(StorageCluster.NAME);
        cluster.setSpec(new StorageClusterSpec());
        administrator.resource(cluster).create();
        administrator
                .resources(StorageCluster.class)
                .withName(StorageCluster.NAME)
                .subresource("status")
                .patch(MERGE_PATCH, "{\"status\":{\"clusterId\":\"" + certificates.id() + "\"}}");
    }

    @AfterEach
    void stop() {
        var unused = started.thenAccept(StorageNode::close);
        certificates.close();
    }

    private KubernetesOptions options() throws UsageException {
        return KubernetesOptions.parse(List.of(
                "--kubernetes",
                "--name",
                SELF.value(),
                "--data",
                directory.resolve("data").toString(),
                "--host",
                "127.0.0.1",
                "--certificate",
                certificates.ca("node-n3.pem").toString(),
                "--key",
                certificates.ca("node-n3.key").toString(),
                "--ca",
                certificates.ca("ca.pem").toString(),
                "--data-listen",
                "127.0.0.1:0",
                "--control-listen",
                "127.0.0.1:0",
                "--metrics-listen",
                "127.0.0.1:" + metricsPort));
    }

    private StorageNode startNode() throws Exception {
        return KubernetesStart.run(options(), KubernetesConfigurationStore.connect(administrator.getConfiguration()));
    }

    private void makeNode() {
        NodeDisk disk = new NodeDisk();
        disk.setPool("default");
        disk.setDirectory(directory.resolve("disk").toString());
        disk.setCapacity(new Quantity("1Gi"));
        StorageNodeSpec spec = new StorageNodeSpec();
        spec.setDisks(List.of(disk));
        io.gabion.api.v1alpha1.StorageNode node = new io.gabion.api.v1alpha1.StorageNode();
        node.getMetadata().setName(SELF.value());
        node.setSpec(spec);
        administrator.resource(node).create();
    }

    private io.gabion.api.v1alpha1.StorageNode self() {
        return administrator
                .resources(io.gabion.api.v1alpha1.StorageNode.class)
                .withName(SELF.value())
                .get();
    }

    private StorageNodeStatus status() {
        return self().getStatus();
    }

    private static void until(String what, Waiting.Condition<Exception> condition) throws Exception {
        Waiting.until(what, Duration.ofSeconds(WAIT_SECONDS), condition);
    }

    private int probe() throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            URI uri = URI.create("http://127.0.0.1:" + metricsPort + "/readyz");
            return client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                    .statusCode();
        } catch (IOException e) {
            return 0;
        }
    }

    @Test
    void aNodeWaitsForItsTaskServesAndReports() throws Exception {
        Thread.ofVirtual().start(() -> {
            try {
                started.complete(startNode());
            } catch (Exception e) {
                started.completeExceptionally(e);
            }
        });
        until("a node without a task is ready", () -> probe() == 200);
        makeNode();
        StorageNode node = started.get(WAIT_SECONDS, TimeUnit.SECONDS);
        until("the address is announced", () -> status().getAddress() != null);
        until(
                "the disk is reported",
                () -> !status().getDisks().isEmpty()
                        && status().getDisks().getFirst().getState() == DiskState.ONLINE);
        assertThat(NodeRecords.node(self()))
                .hasValueSatisfying(record -> assertThat(record.dataPort()).isEqualTo(node.dataPort()));
        assertThat(status().getSoftwareVersion()).isEqualTo(BuildVersion.text());
        assertThat(status().getDiskRecords()).hasSize(1);
        assertThat(probe()).isEqualTo(200);

        node.reloadCertificates();
        assertThat(certificates.replicas(node))
                .as("under the renewed certificate")
                .isZero();

        VolumeRecord volume = volumes.create(SELF);
        until("its replica becomes primary", () -> Integer.valueOf(1).equals(status().getPrimaries()));
        VolumeRecord current = volumes.record(volume.id());
        volumes.force(current.withDeleting("test/2"));
        until(
                "the node takes itself out of the record",
                () -> volumes.record(volume.id()).placement().isEmpty());
        assertThat(node.replicas().isHosted(volume.id())).isFalse();
    }

    @Test
    void aMissingVolumeErasesNothingATombstoneDoes() throws Exception {
        makeNode();
        VolumeRecord volume = volumes.create(SELF);
        StorageNode first = startNode();
        until("the replica is there", () -> Integer.valueOf(1).equals(status().getPrimaries()));
        first.close();
        administrator.resource(volumes.get(volume.id())).delete();

        StorageNode second = startNode();
        started.complete(second);
        until("the node serves", () -> probe() == 200);
        assertThat(second.replicas().isHosted(volume.id())).isTrue();

        String tombstone = "{\"volumeId\":\"" + volume.id() + "\",\"replica\":\""
                + volume.placement().getFirst().replica() + "\"}";
        administrator
                .resources(io.gabion.api.v1alpha1.StorageNode.class)
                .withName(SELF.value())
                .patch(MERGE_PATCH, "{\"spec\":{\"tombstones\":[" + tombstone + "]}}");
        until("the copy is reported as erased", () -> status().getErased().size() == 1);
        assertThat(second.replicas().isHosted(volume.id())).isFalse();
    }
}
