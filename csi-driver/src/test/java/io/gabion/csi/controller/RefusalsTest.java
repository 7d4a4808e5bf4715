package io.gabion.csi.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import csi.v1.ControllerGrpc;
import csi.v1.ControllerGrpc.ControllerBlockingStub;
import csi.v1.CreateVolumeRequest;
import csi.v1.VolumeCapability.AccessMode.Mode;
import csi.v1.VolumeContentSource;
import io.gabion.csi.fake.Requests;
import io.gabion.csi.fake.TestDriver;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a person reads on the events of a claim that cannot be, word by word: wrong StorageClasses and wrong claims. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class RefusalsTest {
    private static final String ALL = "There are: pool, replicas, minInSync, onPoolFull, locality";

    private TestDriver driver;
    private ControllerBlockingStub controller;

    @BeforeAll
    void start(@TempDir Path directory) throws IOException {
        driver = new TestDriver(directory, true);
        controller = ControllerGrpc.newBlockingStub(driver.channel());
    }

    @AfterAll
    void stop() {
        driver.close();
    }

    @ParameterizedTest(name = "StorageClass with {0}: {1}")
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            replica                   | 2        | parameter "replica" is not known; did you mean "replicas"? ALL
            Pool                      | fast     | parameter "Pool" is not known; did you mean "pool"? ALL
            fsType                    | xfs      | parameter "fsType" is not known; did you mean "csi.storage.k8s.io/fstype"? ALL
            numberOfReplicas          | 3        | parameter "numberOfReplicas" is not known; did you mean "replicas"? ALL
            pool                      | fats     | there is no StoragePool "fats"; did you mean "fast"? There are: default, fast
            pool                      | ~~       | parameter "pool" is empty; give the name of a StoragePool
            replicas                  | 0        | parameter "replicas" must be a whole number from 1 to 5, not "0"
            replicas                  | 7        | parameter "replicas" must be a whole number from 1 to 5, not "7"
            replicas                  | two      | parameter "replicas" must be a whole number from 1 to 5, not "two"
            minInSync                 | 4        | parameter "minInSync" is 4 but there are only 3 replicas: no write could ever be acknowledged
            minInSync                 | all      | parameter "minInSync" must be a whole number from 1 to 5, not "all"
            onPoolFull                | stall    | parameter "onPoolFull" must be Error or Stall, not "stall"
            locality                  | Strict   | parameter "locality" must be None or Preferred, not "Strict"
            qosIops                   | 500      | parameter "qosIops" belongs into a VolumeAttributesClass, not into a StorageClass
            csi.storage.k8s.io/fstype | btrfs    | parameter "csi.storage.k8s.io/fstype": file system "btrfs" is not supported; use ext4 or xfs
            csi.storage.k8s.io/fsType | xfs      | parameter "csi.storage.k8s.io/fsType" is not known; did you mean "csi.storage.k8s.io/fstype"? ALL
            """)
    void aWrongParameterOfAClassIsRefused(String key, String value, String message) {
        refused(
                Status.Code.INVALID_ARGUMENT,
                message.replace("ALL", ALL),
                Requests.create("pvc-wrong", 1L << 30).toBuilder()
                        .putParameters(key, value)
                        .build());
    }

    @ParameterizedTest(name = "VolumeAttributesClass with {0}: {1}")
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            iops              | 500  | parameter "iops" is not known; did you mean "qosIops"? Those of a VolumeAttributesClass are: replicas, locality, qosIops, qosBytesPerSecond
            minInSync         | 1    | parameter "minInSync" cannot be changed on a volume that exists; those of a VolumeAttributesClass are: replicas, locality, qosIops, qosBytesPerSecond
            qosBytesPerSecond | 1k   | parameter "qosBytesPerSecond" must be at least 4096, not "1k"
            qosIops           | lots | parameter "qosIops" must be a whole number, as in 500 or 50Mi, not "lots"
            """)
    void aWrongAttributeIsRefused(String key, String value, String message) {
        refused(
                Status.Code.INVALID_ARGUMENT,
                message,
                Requests.create("pvc-wrong", 1L << 30).toBuilder()
                        .putChangeableParameters(key, value)
                        .build());
    }

    @ParameterizedTest(name = "claim of {1} bytes, {0}, {2}, mounted with {3}")
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            MULTI_NODE_MULTI_WRITER  | 1073741824       | ext4  | noatime     | INVALID_ARGUMENT | access mode ReadWriteMany is not supported: a volume is a block device of one node at a time; use ReadWriteOnce (any number of pods on one node) or ReadWriteOncePod, or share files through a server that runs on such a volume
            MULTI_NODE_MULTI_WRITER  | 1073741824       | block | ~~          | INVALID_ARGUMENT | access mode ReadWriteMany of a raw block volume is not supported yet; use ReadWriteOnce or ReadWriteOncePod
            SINGLE_NODE_WRITER       | 2251799813685248 | ext4  | noatime     | OUT_OF_RANGE     | a volume of 2251799813685248 bytes is too large; the largest has 1125899906842624 bytes (1 PiB)
            SINGLE_NODE_WRITER       | 1073741824       | ntfs  | noatime     | INVALID_ARGUMENT | file system "ntfs" is not supported; use ext4 or xfs
            SINGLE_NODE_WRITER       | 1073741824       | xfs   | logdev=/dev/sda | INVALID_ARGUMENT | mount option "logdev=/dev/sda" is not allowed: only options of ext4 and xfs that name no other device or file are
            SINGLE_NODE_WRITER       | 1073741824       | ext4  | uid=0       | INVALID_ARGUMENT | mount option "uid=0" is not allowed: only options of ext4 and xfs that name no other device or file are
            """)
    void aWrongClaimIsRefused(Mode mode, long bytes, String type, String option, Status.Code code, String message) {
        refused(
                code,
                message,
                Requests.create("pvc-wrong", bytes).toBuilder()
                        .setVolumeCapabilities(
                                0, type.equals("block") ? Requests.block(mode) : Requests.mount(mode, type, option))
                        .build());
    }

    @ParameterizedTest(name = "claim with a {0} as data source")
    @CsvSource({"snapshot", "volume"})
    void aDataSourceIsRefusedUntilThereAreSnapshots(String kind) {
        VolumeContentSource.Builder source = VolumeContentSource.newBuilder();
        if (kind.equals("snapshot")) {
            source.getSnapshotBuilder().setSnapshotId("s");
        } else {
            source.getVolumeBuilder().setVolumeId("v");
        }
        refused(
                Status.Code.INVALID_ARGUMENT,
                "volume_content_source: volumes from snapshots or other volumes are not supported yet; remove dataSource"
                        + " from the claim",
                Requests.create("pvc-wrong", 1L << 30).toBuilder()
                        .setVolumeContentSource(source)
                        .build());
    }

    private void refused(Status.Code code, String message, CreateVolumeRequest request) {
        assertThatThrownBy(() -> controller.createVolume(request))
                .isInstanceOfSatisfying(StatusRuntimeException.class, e -> {
                    assertThat(e.getStatus().getDescription()).isEqualTo(message);
                    assertThat(e.getStatus().getCode()).isEqualTo(code);
                });
        assertThat(driver.volumes.list()).isEmpty();
    }
}
