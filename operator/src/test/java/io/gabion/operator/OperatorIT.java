package io.gabion.operator;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequest;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.gabion.api.testing.RealApiServer;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.model.VolumeRecord;
import io.gabion.operator.failpoint.FailPoint;
import io.gabion.operator.fake.Objects;
import io.gabion.operator.real.Await;
import io.gabion.operator.real.Requests;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The operator on a real API server; only the storage behind the storage nodes is missing. */
@Tag("kubernetes")
@Timeout(180)
@ExtendWith(RealApiServer.class)
class OperatorIT {
    private static final String NAME = "v1";
    /** Longer than any interval at which something looks again. */
    private static final Duration QUIET = Duration.ofSeconds(20);

    private static final Duration DELETION_BOUND = Duration.ofSeconds(30);

    private final KubernetesClient admin;
    private RealWorld w;

    OperatorIT(KubernetesClient client) {
        this.admin = client;
    }

    @BeforeEach
    void start(@TempDir Path directory) {
        w = new RealWorld(admin, directory);
    }

    @AfterEach
    void stop() {
        w.close();
    }

    @Test
    void aPoolMakesStorageNodesAndAVolumeLivesFromPlacementToTheLastByte() throws Exception {
        w.operator(FailPoint.NONE, false);
        w.begin("m1", "m2", "m3", "m4");
        assertThat(w.storageNode("m1").getSpec().getDisks()).singleElement().satisfies(d -> assertThat(d.getDirectory())
                .isEqualTo("/var/lib/gabion/fast"));

        w.create(NAME, 2);
        w.settled(NAME, 2);
        VolumeRecord first = w.record(NAME);
        assertThat(first.config().version()).isEqualTo(1);
        assertThat(first.config().epoch()).isEqualTo(1);
        assertThat(w.volume(NAME).orElseThrow().getStatus().isEverWritten()).isFalse();
        assertThat(w.volume(NAME).orElseThrow().getStatus().getConditions())
                .extracting(Condition::getType)
                .containsExactly("Ready", "Redundant", "Placed", "Attached", "Reconciling", "Stalled");

        w.nodes.write(NAME);
        Await.until(
                "everWritten",
                RealWorld.SOON,
                () -> w.volume(NAME).orElseThrow().getStatus().isEverWritten(),
                () -> w.volume(NAME));

        admin.resources(Volume.class).withName(NAME).scale(3);
        w.settled(NAME, 3);
        admin.resources(Volume.class).withName(NAME).scale(2);
        w.settled(NAME, 2);

        w.editSpec(NAME, "{\"size\":\"2Gi\"}");
        Await.until(
                "the new size",
                RealWorld.SOON,
                () -> w.record(NAME).config().sizeBytes() == 2 * Objects.GIB && w.says(NAME, "Reconciling", "False"),
                () -> w.volume(NAME));

        Await.until(
                "the news",
                RealWorld.SOON,
                () -> reasons().containsAll(List.of("Provisioned", "Expanded")),
                this::reasons);
        admin.resources(Volume.class).withName(NAME).delete();
        gone(Instant.now());
        assertThat(w.storageNode("m1").getSpec().getTombstones()).isEmpty();
    }

    @Test
    void threeCopiesAreInThreeFailureDomainsAndTheClusterSaysThatAllIsWell() throws Exception {
        w.operator(FailPoint.NONE, false);
        w.begin("m1", "m2", "m3");
        w.create(NAME, 3);
        w.settled(NAME, 3);
        assertThat(w.copies(NAME)).containsExactly("m1", "m2", "m3");
        Await.until(
                "the cluster's counts",
                RealWorld.SOON,
                () -> "1/1".equals(cluster().getStatus().getVolumes())
                        && "3/4".equals(cluster().getStatus().getNodes()),
                () -> cluster().getStatus());
        assertThat(cluster().getStatus().getClusterId()).isNotNull();
        assertThat(pool().getStatus().getDisks()).isEqualTo("3/4");
    }

    @Test
    void aVolumeIsGoneSoonAlthoughANodeIsDeadAndTheNodeErasesItsCopyWhenItIsBack() throws Exception {
        w.operator(FailPoint.NONE, false);
        w.begin("m1", "m2", "m3");
        w.create(NAME, 3);
        w.settled(NAME, 3);

        w.nodes.kill("m2");
        admin.resources(Volume.class).withName(NAME).delete();
        gone(Instant.now());
        assertThat(w.storageNode("m2").getSpec().getTombstones()).hasSize(1);

        w.nodes.start("m2");
        Await.until(
                "the tombstone is taken away",
                RealWorld.SOON,
                () -> w.storageNode("m2").getSpec().getTombstones().isEmpty(),
                () -> w.storageNode("m2"));
    }

    private void gone(Instant since) {
        Await.until("the Volume is gone", DELETION_BOUND, () -> w.volume(NAME).isEmpty(), () -> w.volume(NAME));
        System.out.println(
                "deletion took " + Duration.between(since, Instant.now()).toMillis() + " ms");
    }

    @Test
    void aLostCopyIsReplacedAfterTheDelayOfThePool() throws Exception {
        w.operator(FailPoint.NONE, false);
        w.begin("m1", "m2", "m3");
        w.create(NAME, 2);
        w.settled(NAME, 2);
        String victim = w.copies(NAME).stream()
                .filter(n -> !n.equals(w.volume(NAME).orElseThrow().getStatus().getPrimaryNode()))
                .findFirst()
                .orElseThrow();

        w.nodes.kill(victim);
        Await.until(
                "another node has the copy",
                RealWorld.SOON,
                () -> w.says(NAME, "Redundant", "True")
                        && w.record(NAME).config().inSync().size() == 2
                        && w.volume(NAME).orElseThrow().getStatus().getRemoved().stream()
                                .anyMatch(r -> r.getNode().equals(victim)),
                () -> w.volume(NAME));
        Await.until("the news", RealWorld.SOON, () -> reasons().contains("ReplicaLost"), this::reasons);

        w.nodes.start(victim);
        w.settled(NAME, 2);
        assertThat(w.copies(NAME)).doesNotContain(victim);
    }

    private List<String> reasons() {
        return admin.v1().events().inNamespace("default").list().getItems().stream()
                .map(Event::getReason)
                .toList();
    }

    @Test
    void aPoolIsNotDeletedWhileVolumesUseItAndNamesThem() throws Exception {
        w.operator(FailPoint.NONE, false);
        w.begin("m1");
        w.create(NAME, 1);
        w.settled(NAME, 1);

        admin.resources(StoragePool.class).withName(Objects.POOL).delete();
        Await.until(
                "the pool says which volume keeps it",
                RealWorld.SOON,
                () -> RealWorld.condition(pool().getStatus().getConditions(), "Ready")
                        .filter(c -> c.getReason().equals("PoolInUse")
                                && c.getMessage().contains(": v1;"))
                        .isPresent(),
                () -> pool().getStatus());

        admin.resources(Volume.class).withName(NAME).delete();
        Await.until(
                "the pool is gone",
                RealWorld.SOON,
                () -> admin.resources(StoragePool.class).withName(Objects.POOL).get() == null,
                this::pool);
    }

    @Test
    void aCertificateIsSignedForThePodsOwnNodeOnly() throws IOException {
        w.operator(FailPoint.NONE, false);
        w.pool("5m");
        w.nodes.start("m1");
        KeyPair keys = Requests.keyPair("secp256r1");
        try (KubernetesClient m1 = Requests.as(admin, "gabion-data-plane", "m1")) {
            CertificateSigningRequest wrong = Requests.answer(
                    admin, Requests.submit(m1, GabionApi.SIGNER_NAME, Requests.pem("O=node,CN=m2", keys, keys)));
            assertThat(wrong.getStatus().getCertificate()).isNull();
            assertThat(wrong.getStatus().getConditions()).singleElement().satisfies(c -> assertThat(c.getMessage())
                    .contains("must be CN=m1, O=node"));

            CertificateSigningRequest promoted = Requests.answer(
                    admin, Requests.submit(m1, GabionApi.SIGNER_NAME, Requests.pem("O=operator,CN=m1", keys, keys)));
            assertThat(promoted.getStatus().getCertificate()).isNull();
        }
        try (KubernetesClient other = Requests.as(admin, "gabion-csi-node", "m1")) {
            CertificateSigningRequest stranger = Requests.answer(
                    admin, Requests.submit(other, GabionApi.SIGNER_NAME, Requests.pem("O=node,CN=m1", keys, keys)));
            assertThat(stranger.getStatus().getConditions()).singleElement().satisfies(c -> assertThat(c.getType())
                    .isEqualTo("Denied"));
        }
    }

    @Test
    void theSecondOperatorLeadsAsSoonAsTheFirstOneEnds() throws Exception {
        RealWorld.Running first = w.operator(FailPoint.NONE, true);
        Await.until("the first leads", RealWorld.SOON, () -> first.operator().isLeading(), () -> "");
        RealWorld.Running second = w.operator(FailPoint.NONE, true);
        w.begin("m1", "m2", "m3");
        assertThat(second.operator().isLeading()).isFalse();
        assertThat(get(second, "/readyz").statusCode()).isEqualTo(200);
        assertThat(get(first, "/metrics").body())
                .contains("gabion_operator_leading 1.0", "gabion_node_ready{node=\"m1\"} 1.0");
        assertThat(get(second, "/metrics").body()).contains("gabion_operator_leading 0.0");

        w.stop(first);
        Await.until(
                "the second leads",
                Duration.ofSeconds(8),
                () -> second.operator().isLeading(),
                () -> "");
        w.create(NAME, 3);
        w.settled(NAME, 3);
    }

    @Test
    @Tag("long")
    void whenNothingHappensNothingIsWritten() throws Exception {
        w.operator(FailPoint.NONE, false);
        w.begin("m1", "m2", "m3", "m4");
        w.create(NAME, 3);
        w.settled(NAME, 3);
        Await.until(
                "the last word on the cluster",
                RealWorld.SOON,
                () -> "OK".equals(cluster().getStatus().getHealthSummary())
                        && "4/4".equals(cluster().getStatus().getNodes())
                        && "1/1".equals(cluster().getStatus().getVolumes())
                        && w.volume(NAME).orElseThrow().getStatus().getAllocated() != null,
                () -> admin.getKubernetesSerialization().asYaml(cluster()));
        String before = written();
        CountDownLatch quiet = new CountDownLatch(1);

        assertThat(quiet.await(QUIET.toSeconds(), TimeUnit.SECONDS)).isFalse();

        assertThat(written()).isEqualTo(before);
    }

    /** All our objects but for what their storage nodes write. */
    private String written() {
        List<HasMetadata> all = new ArrayList<>();
        all.add(cluster());
        all.add(pool());
        all.addAll(admin.resources(Volume.class).list().getItems());
        all.addAll(admin.resources(StorageNode.class).list().getItems());
        return all.stream()
                .map(o -> o.getKind() + "/" + o.getMetadata().getName() + " "
                        + o.getMetadata().getResourceVersion())
                .toList()
                .toString();
    }

    private static HttpResponse<String> get(RealWorld.Running of, String path) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(
                    HttpRequest.newBuilder(URI.create(
                                    "http://127.0.0.1:" + of.operator().httpPort() + path))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }

    private StorageCluster cluster() {
        return admin.resources(StorageCluster.class)
                .withName(StorageCluster.NAME)
                .get();
    }

    private StoragePool pool() {
        return Optional.ofNullable(admin.resources(StoragePool.class)
                        .withName(Objects.POOL)
                        .get())
                .orElseThrow();
    }

    @Test
    void aMachineThatIsTakenAwayAndComesBackIsTheSameStorageNode() throws Exception {
        w.operator(FailPoint.NONE, false);
        w.begin("m1", "m2");
        String uid = w.storageNode("m1").getMetadata().getUid();
        w.create(NAME, 2);
        w.settled(NAME, 2);
        admin.nodes().withName("m1").delete();
        w.machine("m1");
        w.editSpec(NAME, "{\"size\":\"2Gi\"}");
        Await.until(
                "the new size",
                RealWorld.SOON,
                () -> w.record(NAME).config().sizeBytes() == 2 * Objects.GIB,
                () -> w.volume(NAME));
        StorageNode after = w.storageNode("m1");
        assertThat(after.getMetadata().getUid()).isEqualTo(uid);
        assertThat(after.getSpec().getDisks()).hasSize(1);
    }
}
