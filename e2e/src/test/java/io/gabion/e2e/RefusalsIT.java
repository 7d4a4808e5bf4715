package io.gabion.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a person reads who writes a wrong object of Gabion: the API server says it at once and keeps nothing. */
@Journey
@Tag("refusals")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RefusalsIT {
    private static final Duration GONE = Duration.ofSeconds(30);

    private Kubectl kubectl;
    private String volume;

    @BeforeAll
    void createAVolume(Workspace workspace) {
        kubectl = workspace.cluster().kubectl();
        volume = workspace.name();
        kubectl.apply("""
                apiVersion: gabion.io/v1alpha1
                kind: Volume
                metadata: {name: %s}
                spec: {size: 1Gi, pool: default, replicas: 2, minInSync: 2}
                """.formatted(volume));
    }

    @AfterAll
    void deleteIt() {
        kubectl.run("delete", "volumes.gabion.io", volume, "--wait=false");
        Waiting.untilEqual("the volume", GONE, "", () -> kubectl.field(".metadata.name", "volumes.gabion.io", volume));
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        Volume         | {size: 1000, pool: default}                             | multiple of 4096
        Volume         | {size: 512Ki, pool: default}                            | at least 1Mi
        Volume         | {size: 4Pi, pool: default}                              | at most 1Pi
        Volume         | {size: 10GB, pool: default}                             | "10GB" is not understood: write a number and a unit, as in 10Gi (binary) or 10G (decimal)
        Volume         | {size: 1Gi}                                             | spec.pool: Required value
        Volume         | {pool: default}                                         | spec.size: Required value
        Volume         | {size: 1Gi, pool: Fast_1}                               | spec.pool: Invalid value: "Fast_1"
        Volume         | {size: 1Gi, pool: default, replicas: 0}                 | spec.replicas in body should be greater than or equal to 1
        Volume         | {size: 1Gi, pool: default, replicas: 6}                 | spec.replicas in body should be less than or equal to 5
        Volume         | {size: 1Gi, pool: default, replicas: 2, minInSync: 3}   | minInSync must not be above replicas
        Volume         | {size: 1Gi, pool: default, onPoolFull: Wait}            | supported values: "Error", "Stall"
        Volume         | {size: 1Gi, pool: default, locality: Always}            | supported values: "None", "Preferred"
        Volume         | {size: 1Gi, pool: default, volumeId: 17}                | spec.volumeId in body must be of type string
        Volume         | {size: 1Gi, pool: default, replica: 2}                  | unknown field "spec.replica"
        StoragePool    | {}                                                      | at least one directory, or devices
        StoragePool    | {directories: [/a], devices: [/dev/sdb]}                | at least one directory, or devices, but not both
        StoragePool    | {directories: [data]}                                   | absolute paths
        StoragePool    | {directories: [/var/../etc]}                            | absolute paths
        StoragePool    | {devices: [sdb]}                                        | below /dev/
        StoragePool    | {directories: [/a], capacity: 5Mi}                      | capacity must be at least 1Gi
        StoragePool    | {directories: [/a], capacity: 5GB}                      | "5GB" is not understood: write a number and a unit, as in 10Gi (binary)
        StoragePool    | {directories: [/a], mediaClass: tape}                   | supported values: "hdd", "ssd"
        StoragePool    | {directories: [/a], rebuildReservePercent: 60}          | spec.rebuildReservePercent in body should be less than or equal to 50
        StoragePool    | {directories: [/a], replicaReplacementDelay: soon}      | spec.replicaReplacementDelay in body should match '^([0-9]+(ms
        StoragePool    | {directories: [/a], replicaReplacementDelay: 1000h}     | at most 168h
        StoragePool    | {directories: [/a], defaults: {replicas: 2, minInSync: 3}} | minInSync must not be above replicas
        StorageCluster | {}                                                      | there is one StorageCluster, named gabion
        StorageNode    | {disks: [{pool: default}]}                              | directory: Required value
        Snapshot       | {}                                                      | spec.volume: Required value
        """)
    void aWrongObjectIsRefusedWithTheReason(String kind, String spec, String message, @TempDir Path directory)
            throws IOException {
        Path file = directory.resolve("wrong.yaml");
        Files.writeString(
                file,
                "apiVersion: gabion.io/v1alpha1\nkind: " + kind + "\nmetadata: {name: e2e-wrong}\nspec: " + spec
                        + "\n");

        refused(message, "create", "-f", file.toString());
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        {"spec":{"size":"512Mi"}}                                    | a volume only grows
        {"spec":{"pool":"slow"}}                                     | pool cannot be changed
        {"spec":{"volumeId":"0e9ff1c2-7a3b-4a55-9c0e-111111111111"}} | volumeId cannot be changed
        {"spec":{"replicas":1}}                                      | minInSync must not be above replicas
        """)
    void aWrongChangeIsRefusedWithTheReason(String change, String message) {
        refused(message, "patch", "volumes.gabion.io", volume, "--type=merge", "-p", change);
    }

    private void refused(String message, String... command) {
        Kubectl.Result result = kubectl.attempt(command);

        assertThat(result.succeeded()).as(result.toString()).isFalse();
        assertThat(result.errors()).contains(message);
    }
}
