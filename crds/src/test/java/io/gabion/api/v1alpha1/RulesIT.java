package io.gabion.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.gabion.api.record.RecordPatch;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.testing.RealApiServer;
import io.gabion.model.InSyncMember;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The rules of the definitions, asked of a real API server: what a person is told, and which records may follow another. */
@Tag("kubernetes")
@ExtendWith(RealApiServer.class)
class RulesIT {
    private static final PatchContext JSON_PATCH = PatchContext.of(PatchType.JSON);
    private static final ReplicaId ONE = new ReplicaId(UUID.randomUUID());
    private static final ReplicaId TWO = new ReplicaId(UUID.randomUUID());

    private final KubernetesClient client;

    RulesIT(KubernetesClient client) {
        this.client = client;
    }

    // ---- what people write
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        {size: 1000, pool: fast}                                | multiple of 4096
        {size: 512Ki, pool: fast}                               | at least 1Mi
        {size: 4Pi, pool: fast}                                 | at most 1Pi
        {size: 10GB, pool: fast}                                | "10GB" is not understood: write a number and a unit, as in 10Gi (binary) or 10G (decimal)
        {size: ten, pool: fast}                                 | "ten" is not understood: write a number and a unit
        {size: -1Gi, pool: fast}                                | "-1Gi" is not understood: write a number and a unit
        {size: 1e3Gi, pool: fast}                               | write a number and a unit
        {size: 1Gi}                                             | spec.pool: Required value
        {pool: fast}                                            | spec.size: Required value
        {size: 1Gi, pool: Fast_1}                               | spec.pool
        {size: 1Gi, pool: fast, replicas: 0}                    | spec.replicas
        {size: 1Gi, pool: fast, replicas: 6}                    | spec.replicas
        {size: 1Gi, pool: fast, replicas: 2, minInSync: 3}      | minInSync must not be above replicas
        {size: 1Gi, pool: fast, onPoolFull: Wait}               | supported values: "Error", "Stall"
        {size: 1Gi, pool: fast, locality: Always}               | supported values: "None", "Preferred"
        {size: 1Gi, pool: fast, volumeId: 17}                   | spec.volumeId
        """)
    void aWrongVolumeIsRefusedWithTheReason(String spec, String message) {
        assertThatThrownBy(() -> apply("Volume", "wrong", spec))
                .isInstanceOf(KubernetesClientException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        {}                                                             | at least one directory, or devices
        {directories: [/a], devices: [/dev/sdb]}                       | at least one directory, or devices, but not both
        {directories: [data]}                                          | absolute paths
        {directories: [/var/../etc]}                                   | absolute paths
        {devices: [sdb]}                                               | below /dev/
        {directories: [/a], capacity: 5Mi}                             | capacity must be at least 1Gi
        {directories: [/a], capacity: 5GB}                             | "5GB" is not understood: write a number and a unit, as in 10Gi
        {directories: [/a], rebuildReservePercent: 60}                 | spec.rebuildReservePercent
        {directories: [/a], replicaReplacementDelay: soon}             | spec.replicaReplacementDelay
        {directories: [/a], replicaReplacementDelay: 1000h}            | at most 168h
        {directories: [/a], defaults: {replicas: 2, minInSync: 3}}     | minInSync must not be above replicas
        {directories: [/a], nodeSelector: {matchExpressions: [{key: a, operator: Like}]}} | operator
        """)
    void aWrongPoolIsRefusedWithTheReason(String spec, String message) {
        assertThatThrownBy(() -> apply("StoragePool", "wrong", spec))
                .isInstanceOf(KubernetesClientException.class)
                .hasMessageContaining(message);
    }

    @Test
    void thereIsOneClusterWithOneName() {
        assertThatThrownBy(() -> apply("StorageCluster", "other", "{}"))
                .hasMessageContaining("there is one StorageCluster, named gabion");
    }

    @Test
    void defaultsAreFilledIn() {
        Volume volume = volume("defaults", "{size: 1Gi, pool: fast}");

        assertThat(volume.getSpec().getReplicas()).isEqualTo(3);
        assertThat(volume.getSpec().getOnPoolFull()).isEqualTo(OnPoolFull.STALL);
        assertThat(volume.getSpec().getRecoveryPolicy()).isEqualTo(RecoveryMode.ANY);
        assertThat(volume.getSpec().getLocality()).isEqualTo(Locality.PREFERRED);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        shrink | {"spec":{"size":"512Mi"}}                                           | a volume only grows
        pool   | {"spec":{"pool":"slow"}}                                            | pool cannot be changed
        adopt  | {"spec":{"volumeId":"0e9ff1c2-7a3b-4a55-9c0e-111111111111"}}        | volumeId cannot be changed
        scale  | {"spec":{"replicas":1}}                                             | minInSync must not be above replicas
        """)
    void aWrongChangeIsRefusedWithTheReason(String name, String change, String message) {
        Volume volume = volume("change-" + name, "{size: 1Gi, pool: fast, minInSync: 2}");

        assertThatThrownBy(() -> client.resource(volume).patch(PatchContext.of(PatchType.JSON_MERGE), change))
                .hasMessageContaining(message);
    }

    @Test
    void aVolumeIsScaledAndFoundByItsPool() {
        Volume volume = volume("scaled", "{size: 1Gi, pool: scaling}");

        client.resource(volume).scale(5);

        assertThat(client.resources(Volume.class)
                        .withField("spec.pool", "scaling")
                        .list()
                        .getItems())
                .singleElement()
                .satisfies(v -> assertThat(v.getSpec().getReplicas()).isEqualTo(5));
    }

    // ---- what components write
    @Test
    void theFirstConfigurationIsWrittenOnceAndOthersFollowIt() {
        Volume fresh = volume("swaps", "{size: 1Mi, pool: fast, replicas: 2}");
        VolumeRecord first = firstRecord(fresh);
        Volume created = patch(fresh, RecordPatch.first(fresh, first));
        VolumeRecord second = first.withConfig(first.config().withNextVersion("a/2"));
        RecordPatch swap = RecordPatch.swap(created, second);
        Volume swapped = patch(created, swap);

        assertThat(VolumeRecords.record(created)).contains(first);
        assertThat(VolumeRecords.record(swapped)).contains(second);
        assertThat(swap.missingIn(swapped)).isEmpty();
        assertThatThrownBy(() -> patch(fresh, RecordPatch.first(fresh, first)))
                .as("the object is no longer as it was read")
                .isInstanceOf(KubernetesClientException.class);
        assertThatThrownBy(() -> patch(created, swap)).as("a lost race").isInstanceOf(KubernetesClientException.class);
    }

    @Test
    void unknownFieldsOfTheConfigurationSurvive() {
        Volume created = recorded("unknown");
        Volume marked = client.resource(created)
                .subresource("status")
                .patch(
                        JSON_PATCH,
                        "[{\"op\":\"replace\",\"path\":\"/status/config/version\",\"value\":2},"
                                + "{\"op\":\"add\",\"path\":\"/status/config/joining\",\"value\":[\"x\"]},"
                                + "{\"op\":\"add\",\"path\":\"/status/config/inSync/0/hint\",\"value\":7}]");
        VolumeRecord record = VolumeRecords.record(marked).orElseThrow();
        RecordPatch swap =
                RecordPatch.swap(marked, record.withConfig(record.config().withNextVersion("a/3")));

        Volume after = patch(marked, swap);

        assertThat(swap.text()).contains("joining", "hint");
        assertThat(swap.missingIn(after)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        same version     | /status/config/writer       | "z"                 | version must grow
        epoch falls      | /status/config/epoch        | 1                   | epoch never falls
        members          | /status/config/inSync/0/incarnation | 9           | epoch must grow
        size             | /status/config/sizeBytes    | 4096                | sizeBytes never shrinks
        floor            | /status/config/sessionFloor | 0                   | sessionFloor never falls
        verifier         | /status/config/verifier     | 0                   | verifier never falls
        foreign primary  | /status/config/primary      | "0e9ff1c2-7a3b-4a55-9c0e-111111111111" | the primary must be one of inSync
        empty            | /status/config/inSync       | []                  | inSync
        placement        | /status/placement           | []                  | placement
        volume id        | /status/volumeId            | "0e9ff1c2-7a3b-4a55-9c0e-111111111111" | volumeId never changes
        """)
    void aForbiddenTransitionIsRefused(String name, String path, String value, String message) {
        Volume created = recorded("transition-" + name.replace(' ', '-'));
        String raise = path.endsWith("writer") || path.equals("/status/placement")
                ? ""
                : "{\"op\":\"replace\",\"path\":\"/status/config/version\",\"value\":9},";

        assertThatThrownBy(() -> client.resource(created)
                        .subresource("status")
                        .patch(
                                JSON_PATCH,
                                "[" + raise + "{\"op\":\"add\",\"path\":\"" + path + "\",\"value\":" + value + "}]"))
                .isInstanceOf(KubernetesClientException.class)
                .hasMessageContaining(message);
    }

    @Test
    void theConfigurationIsNeverTakenAway() {
        Volume created = recorded("taken");

        for (String path : List.of("/status/config", "/status")) {
            assertThatThrownBy(() -> client.resource(created)
                            .subresource("status")
                            .patch(JSON_PATCH, "[{\"op\":\"remove\",\"path\":\"" + path + "\"}]"))
                    .hasMessageContaining("never taken away");
        }
    }

    @Test
    void aDiskIsNeverRolledBack() {
        apply("StorageNode", "disks", "{}");
        StorageNode node = client.resources(StorageNode.class).withName("disks").get();
        String entry = "/status/diskRecords/" + UUID.randomUUID();
        String cluster = UUID.randomUUID().toString();
        String value = "{\"cluster\":\"%s\",\"pool\":\"fast\",\"openCount\":%d,\"version\":%d}";
        client.resource(node)
                .subresource("status")
                .patch(
                        JSON_PATCH,
                        "[{\"op\":\"add\",\"path\":\"/status\",\"value\":{\"diskRecords\":{}}},{\"op\":\"add\",\"path\":\""
                                + entry + "\",\"value\":" + value.formatted(cluster, 5, 1) + "}]");

        assertThatThrownBy(() -> client.resource(node)
                        .subresource("status")
                        .patch(
                                JSON_PATCH,
                                "[{\"op\":\"replace\",\"path\":\"" + entry + "\",\"value\":"
                                        + value.formatted(cluster, 4, 2) + "}]"))
                .hasMessageContaining("openCount never falls");
    }

    // ---- helpers of the tests
    private Volume recorded(String name) {
        Volume fresh = volume(name, "{size: 1Mi, pool: fast, replicas: 2}");
        return patch(fresh, RecordPatch.first(fresh, firstRecord(fresh)));
    }

    private static VolumeRecord firstRecord(Volume volume) {
        VolumeConfig config = new VolumeConfig(
                1,
                2,
                ONE,
                List.of(new InSyncMember(ONE, 1), new InSyncMember(TWO, 1)),
                1,
                1 << 20,
                1,
                List.of(),
                0,
                "test/1");
        return new VolumeRecord(
                VolumeId.of(volume.getMetadata().getUid()),
                VolumeRecords.spec(volume),
                List.of(new ReplicaPlacement(ONE, new NodeName("a")), new ReplicaPlacement(TWO, new NodeName("b"))),
                List.of(),
                false,
                config);
    }

    private Volume patch(Volume volume, RecordPatch patch) {
        return client.resource(volume).subresource("status").patch(JSON_PATCH, patch.text());
    }

    private Volume volume(String name, String spec) {
        apply("Volume", name, spec);
        return client.resources(Volume.class).withName(name).get();
    }

    /** As a person's YAML arrives: nothing is filled in by our classes. */
    private void apply(String kind, String name, String spec) {
        GenericKubernetesResource written = client.getKubernetesSerialization()
                .unmarshal(
                        "apiVersion: gabion.io/v1alpha1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec: "
                                + spec,
                        GenericKubernetesResource.class);
        client.genericKubernetesResources("gabion.io/v1alpha1", kind)
                .resource(written)
                .create();
    }
}
