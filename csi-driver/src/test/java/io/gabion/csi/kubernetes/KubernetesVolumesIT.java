package io.gabion.csi.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.gabion.api.record.RecordPatch;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.testing.RealApiServer;
import io.gabion.api.v1alpha1.ClaimReference;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.csi.backend.NewVolume;
import io.gabion.csi.backend.StoredPool;
import io.gabion.csi.backend.StoredPool.Room;
import io.gabion.csi.backend.StoredVolume;
import io.gabion.csi.backend.StoredVolume.Holds;
import io.gabion.csi.backend.StoredVolume.Origin;
import io.gabion.csi.backend.VolumeSettings;
import io.gabion.csi.backend.VolumeSettings.Limits;
import io.gabion.model.Attachment;
import io.gabion.model.InSyncMember;
import io.gabion.model.NodeName;
import io.gabion.model.PoolFullPolicy;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Volumes as objects of a real API server. */
@Tag("kubernetes")
@ExtendWith(RealApiServer.class)
class KubernetesVolumesIT {
    private static final PatchContext JSON_PATCH = PatchContext.of(PatchType.JSON);
    private static final long SIZE_BYTES = 8 << 20;
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final int SWAPPERS = 6;

    private final KubernetesClient client;
    private final KubernetesVolumes volumes;

    KubernetesVolumesIT(KubernetesClient client) {
        this.client = client;
        this.volumes = new KubernetesVolumes(client, "test");
    }

    private static VolumeSettings settings(long sizeBytes, int replicas) {
        return new VolumeSettings(
                sizeBytes,
                "default",
                replicas,
                OptionalInt.empty(),
                PoolFullPolicy.STALL,
                true,
                new Limits(OptionalLong.of(500), OptionalLong.empty()));
    }

    private static NewVolume order(String name, String requested, VolumeSettings settings) {
        return new NewVolume(
                name,
                settings,
                new Origin(requested, "replicas=2"),
                Optional.of(new NewVolume.Claim(
                        "shop", "data", Optional.of(UUID.randomUUID().toString()))));
    }

    private StoredVolume create(String name) {
        return volumes.create(order(name, name, settings(SIZE_BYTES, 2)));
    }

    private Volume object(String name) {
        return client.resources(Volume.class).withName(name).get();
    }

    /** What the operator does. */
    private void place(String name) {
        Volume fresh = object(name);
        ReplicaId replica = new ReplicaId(UUID.randomUUID());
        VolumeConfig config = new VolumeConfig(
                1, 2, replica, List.of(new InSyncMember(replica, 1)), 1, SIZE_BYTES, 1, List.of(), 0, "operator/1");
        RecordPatch patch = RecordPatch.first(
                fresh,
                new VolumeRecord(
                        VolumeRecords.volumeId(fresh),
                        VolumeRecords.spec(fresh),
                        List.of(new ReplicaPlacement(replica, new NodeName("storage-1"))),
                        List.of(),
                        false,
                        config));
        client.resource(fresh).subresource("status").patch(JSON_PATCH, patch.text());
    }

    private StoredVolume placed(String name) {
        create(name);
        place(name);
        return volumes.find(name).orElseThrow();
    }

    private static VolumeConfig attach(VolumeConfig config, String node, String writer) {
        List<Attachment> attachments = new ArrayList<>(config.attachments());
        attachments.add(new Attachment(new NodeName(node), attachments.size() + 1L, false));
        return config.withAttachments(attachments, config.sessionFloor(), writer);
    }

    // ---- making and finding
    @Test
    void aVolumeIsMadeOnceAndReadBackAsItWasAskedFor() {
        StoredVolume made = create("made-once");

        assertThat(made.settings()).isEqualTo(settings(SIZE_BYTES, 2));
        assertThat(made.origin()).contains(new Origin("made-once", "replicas=2"));
        assertThat(made.config()).isEmpty();
        assertThat(volumes.create(order("made-once", "another", settings(SIZE_BYTES * 2, 1))))
                .isEqualTo(made)
                .isEqualTo(volumes.find("made-once").orElseThrow());
        assertThat(object("made-once").getSpec().getClaimRef())
                .isNotNull()
                .extracting(ClaimReference::getName)
                .isEqualTo("data");
        assertThat(object("made-once").getSpec().getSize()).hasToString("8Mi");
        assertThat(volumes.find("never-made")).isEmpty();
        assertThat(volumes.list())
                .extracting(StoredVolume::name)
                .contains("made-once")
                .isSorted();
    }

    @Test
    void theNodeThatTheSchedulerChoseForTheClaimIsWhereTheFirstCopyIsWanted() {
        claim("chosen", Map.of("volume.kubernetes.io/selected-node", "storage-2"));
        claim("unscheduled", Map.of());

        assertThat(wish("chosen", true)).contains("storage-2");
        assertThat(wish("unscheduled", true)).isEmpty();
        assertThat(wish("never-made", true)).isEmpty();
        assertThat(wish("chosen", false)).isEmpty();
    }

    private void claim(String name, Map<String, String> annotations) {
        client.resource(new PersistentVolumeClaimBuilder()
                        .withNewMetadata()
                        .withNamespace("default")
                        .withName(name)
                        .withAnnotations(annotations)
                        .endMetadata()
                        .withNewSpec()
                        .withAccessModes("ReadWriteOnce")
                        .withNewResources()
                        .addToRequests("storage", new Quantity("8Mi"))
                        .endResources()
                        .endSpec()
                        .build())
                .create();
    }

    private Optional<String> wish(String claim, boolean preferLocal) {
        String name = claim + "-" + preferLocal;
        VolumeSettings settings = settings(SIZE_BYTES, 2);
        StoredVolume unused = volumes.create(new NewVolume(
                name,
                new VolumeSettings(
                        settings.sizeBytes(),
                        settings.pool(),
                        settings.replicas(),
                        settings.minInSync(),
                        settings.onPoolFull(),
                        preferLocal,
                        settings.limits()),
                new Origin(name, ""),
                Optional.of(new NewVolume.Claim("default", claim, Optional.empty()))));
        return Optional.ofNullable(object(name).getMetadata().getAnnotations().get("gabion.io/preferred-node"));
    }

    @Test
    void aRequestedNameThatIsNoObjectNameIsKept() {
        StoredVolume made = volumes.create(order("csi-0123", "Träger", settings(SIZE_BYTES, 2)));

        assertThat(made.origin()).contains(new Origin("Träger", "replicas=2"));
    }

    @Test
    void whatTheApiServerRefusesIsToldInItsWords() {
        assertThatThrownBy(() -> volumes.create(order("wrong-size", "w", settings(4097, 2))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("spec");
        StoredVolume made = create("never-shrinks");
        assertThatThrownBy(() -> volumes.changeSettings(made, settings(SIZE_BYTES / 2, 2)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a volume only grows");
    }

    @Test
    void onlyWhatChangesIsWrittenIntoTheSpecification() {
        StoredVolume made = create("changes");
        StoredVolume changed = volumes.changeSettings(made, settings(SIZE_BYTES * 2, 3));

        assertThat(changed.settings()).isEqualTo(settings(SIZE_BYTES * 2, 3));
        assertThat(object("changes").getMetadata().getGeneration()).isEqualTo(2);
    }

    // ---- the configuration
    @Test
    void theConfigurationIsSwappedAndNothingIsWrittenWhenNothingChanges() {
        placed("swapped");
        StoredVolume changed = volumes.changeConfig("swapped", (_, config, writer) -> attach(config, "a", writer))
                .orElseThrow();
        String version = object("swapped").getMetadata().getResourceVersion();

        assertThat(changed.attachments()).extracting(a -> a.node().value()).containsExactly("a");
        assertThat(volumes.attachedTo(new NodeName("a"))).isLessThanOrEqualTo(1);
        assertThat(changed.config().orElseThrow().version()).isEqualTo(2);
        assertThat(changed.config().orElseThrow().writer()).startsWith("csi/test/");
        assertThat(volumes.changeConfig("swapped", (_, config, _) -> config)).contains(changed);
        assertThat(object("swapped").getMetadata().getResourceVersion()).isEqualTo(version);
        assertThat(volumes.changeConfig("never-made", (_, config, _) -> config)).isEmpty();
    }

    @Test
    void ofManyWhoSwapAtOnceEachGetsItsTurn() throws Exception {
        placed("contended");
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> swaps = new ArrayList<>();
            for (int i = 0; i < SWAPPERS; i++) {
                String node = "node-" + i;
                swaps.add(threads.submit(() -> new KubernetesVolumes(client, node)
                        .changeConfig("contended", (_, config, writer) -> attach(config, node, writer))));
            }
            for (Future<?> swap : swaps) {
                swap.get(LONG.toSeconds(), TimeUnit.SECONDS);
            }
        }

        VolumeConfig config = volumes.find("contended").orElseThrow().config().orElseThrow();
        assertThat(config.version()).isEqualTo(1 + SWAPPERS);
        assertThat(config.attachments()).extracting(Attachment::generation).containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
    }

    @Test
    void aChangeThatTheRulesForbidIsToldAndNotRepeated() {
        placed("forbidden");

        assertThatThrownBy(() -> volumes.changeConfig(
                        "forbidden", (_, config, writer) -> config.withAttachments(List.of(), 0, writer)))
                .hasMessageContaining("the API server refuses the change of volume \"forbidden\"")
                .hasMessageContaining("sessionFloor never falls");
    }

    // ---- waiting and deleting
    @Test
    void waitingEndsWithTheChangeOfSomebodyElse() throws Exception {
        create("awaited");
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Optional<StoredVolume>> seen = threads.submit(() -> volumes.await(
                    "awaited", now -> now.map(v -> v.config().isPresent()).orElse(true), LONG));
            place("awaited");

            assertThat(seen.get(LONG.toSeconds(), TimeUnit.SECONDS)
                            .orElseThrow()
                            .config())
                    .isPresent();
        }
        assertThat(volumes.await("awaited", Optional::isEmpty, Duration.ofMillis(200)))
                .isPresent();
    }

    @Test
    void aVolumeIsDeletedWhenItsFinalizersLetItGoAndNoOtherOfItsName() throws Exception {
        StoredVolume first = create("deleted");
        client.resource(object("deleted")).edit(v -> {
            v.getMetadata().setFinalizers(List.of("gabion.io/test"));
            return v;
        });
        volumes.delete(first);
        assertThat(volumes.find("deleted").orElseThrow().marks().deleting()).isTrue();
        volumes.delete(first);
        client.resource(object("deleted")).edit(v -> {
            v.getMetadata().setFinalizers(List.of());
            return v;
        });
        assertThat(volumes.await("deleted", Optional::isEmpty, LONG)).isEmpty();

        StoredVolume second = create("deleted");
        volumes.delete(first);
        assertThat(volumes.find("deleted")).contains(second);
    }

    @Test
    void conditionsAreReadAsObservations() {
        create("observed");
        client.resource(object("observed")).subresource("status").patch(JSON_PATCH, """
                        [{"op":"add","path":"/status","value":{"everWritten":true,"conditions":[{"type":"Placed",
                        "status":"False","reason":"NoSpace","message":"full","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}]
                        """);

        StoredVolume seen = volumes.find("observed").orElseThrow();
        assertThat(seen.observation("Placed"))
                .contains(new StoredVolume.Observation("Placed", Holds.NO, "NoSpace", "full"));
        assertThat(seen.marks().everWritten()).isTrue();
    }

    // ---- pools and nodes
    @Test
    void roomIsWhatTheDisksMayPromiseByFailureDomain() {
        applyPool("domains", "topology.example.org/rack");
        for (int i = 1; i <= 3; i++) {
            machine("machine-" + i, i == 3 ? Map.of() : Map.of("topology.example.org/rack", "rack-" + i));
            storageNode("machine-" + i, "domains");
        }

        StoredPool pool = volumes.pool("domains").orElseThrow();

        // 10 GiB, a tenth of it reserved, promised twice; the machine without the label takes no copies.
        long promisable = 10L * (1 << 30) / 100 * 90 / 100 * 200;
        assertThat(volumes.rooms("domains"))
                .containsExactlyInAnyOrder(
                        new Room(new NodeName("machine-1"), "rack-1", promisable),
                        new Room(new NodeName("machine-2"), "rack-2", promisable));
        assertThat(pool.defaultReplicas()).hasValue(2);
        assertThat(volumes.poolNames()).contains("domains");
        assertThat(volumes.pool("never-made")).isEmpty();
        assertThat(volumes.rooms("never-made")).isEmpty();
        assertThat(volumes.nodeExists(new NodeName("machine-1"))).isTrue();
        assertThat(volumes.nodeExists(new NodeName("machine-9"))).isFalse();
        volumes.probe();
    }

    private void applyPool(String name, String key) {
        client.resource("""
                apiVersion: gabion.io/v1alpha1
                kind: StoragePool
                metadata: {name: %s}
                spec: {directories: [/var/lib/gabion/p], failureDomainKey: %s, defaults: {replicas: 2}}
                """.formatted(name, key)).create();
    }

    private void machine(String name, Map<String, String> labels) {
        client.resource(new NodeBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .withLabels(labels)
                        .endMetadata()
                        .build())
                .create();
    }

    private void storageNode(String name, String pool) {
        client.resource("""
                apiVersion: gabion.io/v1alpha1
                kind: StorageNode
                metadata: {name: %s}
                spec: {}
                """.formatted(name)).create();
        client.resource(client.resources(StorageNode.class).withName(name).get())
                .subresource("status")
                .patch(JSON_PATCH, """
                        [{"op":"add","path":"/status","value":{"disks":[{"id":"%s","pool":"%s","directory":"/d",
                        "state":"Online","sizeBytes":10737418240}]}}]
                        """.formatted(UUID.randomUUID(), pool));
    }
}
