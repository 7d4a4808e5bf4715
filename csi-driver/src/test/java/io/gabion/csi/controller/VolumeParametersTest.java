package io.gabion.csi.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.csi.backend.NewVolume.Claim;
import io.gabion.csi.backend.StoredPool;
import io.gabion.csi.backend.VolumeSettings;
import io.gabion.csi.backend.VolumeSettings.Limits;
import io.gabion.csi.rpc.CsiFailure;
import io.gabion.model.PoolFullPolicy;
import io.grpc.Status;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class VolumeParametersTest {
    private static final StoredPool POOL = new StoredPool("fast", OptionalInt.of(2), OptionalInt.of(2));

    @ParameterizedTest(name = "class: {0}={1}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "replica|2|parameter \"replica\" is not known; did you mean \"replicas\"? There are: pool, replicas,"
                        + " minInSync, onPoolFull, locality",
                "Pool|fast|parameter \"Pool\" is not known; did you mean \"pool\"? There are: pool, replicas,"
                        + " minInSync, onPoolFull, locality",
                "replicas|0|parameter \"replicas\" must be a whole number from 1 to 5, not \"0\"",
                "replicas|6|parameter \"replicas\" must be a whole number from 1 to 5, not \"6\"",
                "replicas|three|parameter \"replicas\" must be a whole number from 1 to 5, not \"three\"",
                "replicas| |parameter \"replicas\" must be a whole number from 1 to 5, not \"\"",
                "replicas|03|parameter \"replicas\" must be a whole number from 1 to 5, not \"03\"",
                "minInSync|-1|parameter \"minInSync\" must be a whole number from 1 to 5, not \"-1\"",
                "onPoolFull|stall|parameter \"onPoolFull\" must be Error or Stall, not \"stall\"",
                "locality|Required|parameter \"locality\" must be None or Preferred, not \"Required\"",
                "qosIops|500|parameter \"qosIops\" belongs into a VolumeAttributesClass, not into a StorageClass",
                "pool| |parameter \"pool\" is empty; give the name of a StoragePool",
                "csi.storage.k8s.io/fsType|ext4|parameter \"csi.storage.k8s.io/fsType\" is not known; did you mean"
                        + " \"csi.storage.k8s.io/fstype\"? There are: pool, replicas, minInSync, onPoolFull, locality",
            })
    void wrongParametersOfAClassAreRefusedWithTheRemedy(String key, String value, String message) {
        Map<String, String> map = Map.of(key, value == null ? "" : value);
        assertThatThrownBy(() -> VolumeParameters.ofClass(map, Map.of()).pool())
                .hasMessage(message)
                .isInstanceOfSatisfying(
                        CsiFailure.class, e -> assertThat(e.code()).isEqualTo(Status.Code.INVALID_ARGUMENT));
    }

    @ParameterizedTest(name = "attributes: {0}={1}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "iops|500|parameter \"iops\" is not known; did you mean \"qosIops\"? Those of a VolumeAttributesClass"
                        + " are: replicas, locality, qosIops, qosBytesPerSecond",
                "pool|fast|parameter \"pool\" cannot be changed on a volume that exists; those of a"
                        + " VolumeAttributesClass are: replicas, locality, qosIops, qosBytesPerSecond",
                "qosIops|many|parameter \"qosIops\" must be a whole number, as in 500 or 50Mi, not \"many\"",
                "qosIops|0|parameter \"qosIops\" must be at least 1, not \"0\"",
                "qosBytesPerSecond|1k|parameter \"qosBytesPerSecond\" must be at least 4096, not \"1k\"",
                "qosBytesPerSecond|99999999999999999999|parameter \"qosBytesPerSecond\" must be a whole number, as in 500"
                        + " or 50Mi, not \"99999999999999999999\"",
            })
    void wrongAttributesAreRefusedWithTheRemedy(String key, String value, String message) {
        assertThatThrownBy(() -> VolumeParameters.ofAttributes(Map.of(key, value)))
                .hasMessage(message);
    }

    @Test
    void whatIsNotSaidComesFromThePoolThenFromTheProduct() {
        VolumeParameters nothing = VolumeParameters.ofClass(Map.of(), Map.of());

        assertThat(nothing.pool()).isEqualTo("default");
        assertThat(nothing.settings(4096, POOL))
                .isEqualTo(new VolumeSettings(
                        4096, "fast", 2, OptionalInt.of(2), PoolFullPolicy.STALL, true, Limits.NONE));
        StoredPool plain = new StoredPool("fast", OptionalInt.empty(), OptionalInt.empty());
        assertThat(nothing.settings(4096, plain).replicas()).isEqualTo(3);
    }

    @Test
    void theMinimumOfThePoolDoesNotApplyToAnotherNumberOfCopies() {
        VolumeParameters one = VolumeParameters.ofClass(Map.of("replicas", "1"), Map.of());

        assertThat(one.settings(4096, POOL).minInSync()).isEmpty();
    }

    @Test
    void mutableParametersWinOverThoseOfTheClass() {
        VolumeParameters both = VolumeParameters.ofClass(
                Map.of("replicas", "3", "onPoolFull", "Error"),
                Map.of("replicas", "2", "qosBytesPerSecond", "50Mi", "locality", "None"));

        assertThat(both.settings(4096, POOL))
                .isEqualTo(new VolumeSettings(
                        4096,
                        "fast",
                        2,
                        OptionalInt.empty(),
                        PoolFullPolicy.ERROR,
                        false,
                        new Limits(OptionalLong.empty(), OptionalLong.of(50L << 20))));
    }

    @Test
    void moreInSyncThanReplicasIsRefused() {
        VolumeParameters wrong = VolumeParameters.ofClass(Map.of("replicas", "2", "minInSync", "3"), Map.of());

        assertThatThrownBy(() -> wrong.settings(4096, POOL))
                .hasMessage("parameter \"minInSync\" is 3 but there are only 2 replicas: no write could ever be"
                        + " acknowledged");
    }

    @Test
    void onlyWhatIsGivenChangesOnAVolumeThatExists() {
        VolumeSettings current = new VolumeSettings(
                4096,
                "fast",
                3,
                OptionalInt.of(2),
                PoolFullPolicy.ERROR,
                true,
                new Limits(OptionalLong.of(7), OptionalLong.empty()));

        VolumeSettings changed =
                VolumeParameters.ofAttributes(Map.of("locality", "None")).changed(current);

        assertThat(changed)
                .isEqualTo(new VolumeSettings(
                        4096, "fast", 3, OptionalInt.of(2), PoolFullPolicy.ERROR, false, current.limits()));
    }

    @Test
    void theClaimIsTakenFromWhatTheProvisionerAdds() {
        VolumeParameters parameters = VolumeParameters.ofClass(
                Map.of(
                        "csi.storage.k8s.io/pvc/name", "data",
                        "csi.storage.k8s.io/pvc/namespace", "shop",
                        "csi.storage.k8s.io/pv/name", "pvc-1234",
                        "replicas", "2"),
                Map.of());

        assertThat(parameters.claim()).contains(new Claim("shop", "data", Optional.of("1234")));
        assertThat(parameters.canonical()).isEqualTo("replicas=2");
    }
}
