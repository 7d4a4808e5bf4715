package io.gabion.api.record;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.model.Attachment;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeRecord;
import java.util.List;
import org.junit.jupiter.api.Test;

class VolumeRecordsTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String UID = "0e9ff1c2-7a3b-4a55-9c0e-111111111111";
    private static final String ONE = "0e9ff1c2-7a3b-4a55-9c0e-222222222222";
    private static final String TWO = "0e9ff1c2-7a3b-4a55-9c0e-333333333333";
    private static final String TEXT = """
            {"apiVersion":"gabion.io/v1alpha1","kind":"Volume",
             "metadata":{"name":"pvc-1","uid":"%s","resourceVersion":"41"},
             "spec":{"size":"1Gi","pool":"fast","replicas":2,"onPoolFull":"Error"},
             "status":{"placement":[{"replica":"%s","node":"a"},{"replica":"%s","node":"b.example"}],
               "config":{"version":7,"epoch":3,"primary":"%s",
                 "inSync":[{"replica":"%s","incarnation":4,"later":{"x":1}}],
                 "verifier":2,"sizeBytes":1073741824,"sessionFloor":5,
                 "attachments":[{"node":"c","generation":6,"readOnly":true,"mode":"future"}],
                 "snapSequence":9,"writer":"a/1","joining":["z"]}}}""".formatted(UID, ONE, TWO, ONE, ONE);

    private static Volume volume() {
        try {
            return JSON.readValue(TEXT, Volume.class);
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aVolumeBecomesARecord() {
        VolumeRecord record = VolumeRecords.record(volume()).orElseThrow();

        assertThat(record.id()).hasToString(UID);
        assertThat(record.spec().name()).isEqualTo("pvc-1");
        assertThat(record.spec().sizeBytes()).isEqualTo(1L << 30);
        assertThat(record.spec().minInSync()).isEqualTo(1);
        assertThat(record.primaryNode()).contains(new NodeName("a"));
        assertThat(record.config().attachments()).containsExactly(new Attachment(new NodeName("c"), 6, true));
        assertThat(record.config().sessionFloor()).isEqualTo(5);
        assertThat(VolumeRecords.replicaLabels(record))
                .containsExactly("replica.gabion.io/a", "replica.gabion.io/b.example");
    }

    @Test
    void withoutAConfigurationThereIsNoRecord() {
        Volume volume = volume();
        volume.getStatus().setConfig(null);

        assertThat(VolumeRecords.record(volume)).isEmpty();
    }

    @Test
    void aDamagedRecordIsRefusedWithTheNameOfTheField() {
        Volume volume = volume();
        volume.getStatus().getPlacement().get(1).setReplica("nonsense");

        assertThatThrownBy(() -> VolumeRecords.record(volume))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("status.placement[1]: ");
    }

    @Test
    void aSwapTestsUidAndVersionAndKeepsFieldsOfNewerVersions() throws JsonProcessingException {
        Volume volume = volume();
        VolumeRecord record = VolumeRecords.record(volume).orElseThrow();

        JsonNode patch = JSON.readTree(
                RecordPatch.swap(volume, record.withConfig(record.config().withNextVersion("b/2")))
                        .text());

        assertThat(patch).hasSize(3);
        assertThat(patch.get(0))
                .isEqualTo(JSON.readTree("{\"op\":\"test\",\"path\":\"/metadata/uid\",\"value\":\"" + UID + "\"}"));
        assertThat(patch.get(1))
                .isEqualTo(JSON.readTree("{\"op\":\"test\",\"path\":\"/status/config/version\",\"value\":7}"));
        JsonNode config = patch.get(2).get("value");
        assertThat(config.get("version").asLong()).isEqualTo(8);
        assertThat(config.get("writer").asText()).isEqualTo("b/2");
        assertThat(config.get("joining").get(0).asText()).isEqualTo("z");
        assertThat(config.get("inSync").get(0).get("later").get("x").asInt()).isEqualTo(1);
        assertThat(config.get("attachments").get(0).get("mode").asText()).isEqualTo("future");
    }

    @Test
    void aSwapWritesPlacementAndTombstonesOnlyWhenTheyChange() throws JsonProcessingException {
        Volume volume = volume();
        VolumeRecord record = VolumeRecords.record(volume).orElseThrow();
        VolumeRecord next = record.withPlacement(
                record.placement().subList(0, 1), record.placement().subList(1, 2), "operator/1");

        JsonNode patch = JSON.readTree(RecordPatch.swap(volume, next).text());

        assertThat(patch.findValuesAsText("path"))
                .containsExactly(
                        "/metadata/uid",
                        "/status/config/version",
                        "/status/config",
                        "/status/placement",
                        "/status/removed");
    }

    @Test
    void theFirstConfigurationTestsTheResourceVersion() throws JsonProcessingException {
        VolumeRecord record = VolumeRecords.record(volume()).orElseThrow();
        Volume fresh = volume();
        fresh.setStatus(new io.gabion.api.v1alpha1.VolumeStatus());

        JsonNode patch = JSON.readTree(RecordPatch.first(fresh, record).text());

        assertThat(patch.findValuesAsText("path"))
                .containsExactly(
                        "/metadata/uid",
                        "/metadata/resourceVersion",
                        "/status",
                        "/status/volumeId",
                        "/status/config",
                        "/status/placement");
    }

    @Test
    void fieldsThatTheServerDroppedAreNamed() {
        Volume volume = volume();
        VolumeRecord record = VolumeRecords.record(volume).orElseThrow();
        RecordPatch same = RecordPatch.swap(volume, record.withConfig(record.config()));
        Volume pruned = volume();
        var config = pruned.getStatus().getConfig();
        if (config == null) {
            throw new AssertionError();
        }
        config.getUnknown().clear();
        config.getInSync().get(0).getUnknown().clear();

        assertThat(same.missingIn(volume)).isEmpty();
        assertThat(same.missingIn(pruned)).isEqualTo(List.of("status.config.inSync[0].later", "status.config.joining"));
    }
}
