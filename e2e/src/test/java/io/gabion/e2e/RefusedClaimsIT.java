package io.gabion.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a person reads on the events of a claim that cannot be: wrong parameters of a StorageClass or a VolumeAttributesClass, and
 * wrong claims. All are made at once, for the sidecars take their time.
 */
@Journey
@Tag("refusals")
@Tag("quick")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RefusedClaimsIT {
    private static final Duration SAID = Duration.ofSeconds(60);
    private static final String LABEL = "gabion.io/test=refused-claims";
    private static final String ALL = "There are: pool, replicas, minInSync, onPoolFull, locality";
    private static final String MUTABLE =
            "of a VolumeAttributesClass are: replicas, locality, qosIops, qosBytesPerSecond";

    /** Part of the claim or its class, what is wrong about it, and what the claim's events say. */
    private static final String TABLE = """
            parameter  | replica: "2"              | parameter "replica" is not known; did you mean "replicas"? ALL
            parameter  | Pool: default             | parameter "Pool" is not known; did you mean "pool"? ALL
            parameter  | fsType: xfs               | parameter "fsType" is not known; did you mean "csi.storage.k8s.io/fstype"? ALL
            parameter  | numberOfReplicas: "3"     | parameter "numberOfReplicas" is not known; did you mean "replicas"? ALL
            parameter  | pool: defualt             | there is no StoragePool "defualt"; did you mean "default"? There are: default
            parameter  | pool: ""                  | parameter "pool" is empty; give the name of a StoragePool
            parameter  | replicas: "0"             | parameter "replicas" must be a whole number from 1 to 5, not "0"
            parameter  | replicas: "7"             | parameter "replicas" must be a whole number from 1 to 5, not "7"
            parameter  | replicas: two             | parameter "replicas" must be a whole number from 1 to 5, not "two"
            parameter  | minInSync: "4"            | parameter "minInSync" is 4 but there are only 3 replicas: no write could ever be acknowledged
            parameter  | minInSync: all            | parameter "minInSync" must be a whole number from 1 to 5, not "all"
            parameter  | onPoolFull: stall         | parameter "onPoolFull" must be Error or Stall, not "stall"
            parameter  | locality: Strict          | parameter "locality" must be None or Preferred, not "Strict"
            parameter  | qosIops: "500"            | parameter "qosIops" belongs into a VolumeAttributesClass, not into a StorageClass
            parameter  | csi.storage.k8s.io/fstype: btrfs | file system "btrfs" is not supported; use ext4 or xfs
            attribute  | iops: "500"               | parameter "iops" is not known; did you mean "qosIops"? Those MUTABLE
            attribute  | minInSync: "1"            | parameter "minInSync" cannot be changed on a volume that exists; those MUTABLE
            attribute  | qosBytesPerSecond: 1k     | parameter "qosBytesPerSecond" must be at least 4096, not "1k"
            attribute  | qosIops: lots             | parameter "qosIops" must be a whole number, as in 500 or 50Mi, not "lots"
            option     | logdev=/dev/sda           | mount option "logdev=/dev/sda" is not allowed: only options of ext4 and xfs that name no other device or file are
            option     | uid=0                     | mount option "uid=0" is not allowed: only options of ext4 and xfs that name no other device or file are
            mode       | ReadWriteMany             | access mode ReadWriteMany is not supported: a volume is a block device of one node at a time; use ReadWriteOnce (any number of pods on one node) or ReadWriteOncePod, or share files through a server that runs on such a volume
            block mode | ReadWriteMany             | access mode ReadWriteMany of a raw block volume is not supported yet; use ReadWriteOnce or ReadWriteOncePod
            size       | 2Pi                       | a volume of 2251799813685248 bytes is too large; the largest has 1125899906842624 bytes (1 PiB)
            """;

    private Kubectl kubectl;
    private String namespace;

    /** @param message what the events of the claim say */
    private record Wrong(String claim, String part, String what, String message) {
        /** What stands in the place of the right thing if this claim is wrong there. */
        private String or(String place, String right) {
            return part.equals(place) ? what : right;
        }

        private String manifest(String namespace) {
            String attributes = part.equals("attribute") ? """
                    apiVersion: storage.k8s.io/v1
                    kind: VolumeAttributesClass
                    metadata: {name: %s, labels: {%s}}
                    driverName: csi.gabion.io
                    parameters: {%s}
                    ---
                    """.formatted(claim, LABEL.replace("=", ": "), what) : "";
            return attributes
                    + """
                    apiVersion: storage.k8s.io/v1
                    kind: StorageClass
                    metadata: {name: %1$s, labels: {%2$s}}
                    provisioner: csi.gabion.io
                    parameters: {%3$s}
                    mountOptions: [%4$s]
                    ---
                    apiVersion: v1
                    kind: PersistentVolumeClaim
                    metadata: {name: %1$s, namespace: %5$s}
                    spec:
                      storageClassName: %1$s
                      accessModes: [%6$s]
                      volumeMode: %7$s
                      resources: {requests: {storage: %8$s}}
                      %9$s
                    ---
                    """.formatted(
                                    claim,
                                    LABEL.replace("=", ": "),
                                    or("parameter", ""),
                                    or("option", ""),
                                    namespace,
                                    or("block mode", or("mode", "ReadWriteOnce")),
                                    part.equals("block mode") ? "Block" : "Filesystem",
                                    or("size", "1Gi"),
                                    part.equals("attribute") ? "volumeAttributesClassName: " + claim : "");
        }

        @Override
        public String toString() {
            return part + " " + what;
        }
    }

    private static Stream<Wrong> wrong() {
        List<Wrong> all = new ArrayList<>();
        for (String line : TABLE.lines().toList()) {
            String[] cells = line.strip().split(" *\\| *", 3);
            String message = cells[2].replace("ALL", ALL).replace("MUTABLE", MUTABLE);
            all.add(new Wrong("e2e-wrong-" + all.size(), cells[0], cells[1], message));
        }
        return all.stream();
    }

    @BeforeAll
    void claimAll(Workspace workspace) {
        kubectl = workspace.cluster().kubectl();
        namespace = workspace.name();
        StringBuilder manifest = new StringBuilder();
        wrong().forEach(wrong -> manifest.append(wrong.manifest(namespace)));
        kubectl.apply(manifest.toString());
    }

    @AfterAll
    void deleteTheirClasses() {
        kubectl.run("delete", "pvc", "-n", namespace, "--all", "--wait=false");
        kubectl.run("delete", "storageclasses,volumeattributesclasses", "-l", LABEL, "--wait=false");
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void theEventsOfTheClaimSayWhatIsWrong(Wrong wrong) {
        List<String> said = new ArrayList<>();
        Waiting.until(
                "an event of the claim says: " + wrong.message(),
                SAID,
                () -> {
                    said.clear();
                    said.addAll(events(wrong.claim()));
                    return said.stream().anyMatch(text -> text.endsWith(wrong.message()));
                },
                said::toString);
        assertThat(kubectl.field(".status.phase", "-n", namespace, "pvc", wrong.claim()))
                .isEqualTo("Pending");
    }

    private List<String> events(String claim) {
        List<String> texts = new ArrayList<>();
        JsonNode list = kubectl.get("events", "-n", namespace, "--field-selector", "involvedObject.name=" + claim);
        list.path("items").forEach(event -> texts.add(event.path("message").asText()));
        return texts;
    }
}
