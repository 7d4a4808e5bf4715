package io.gabion.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Somebody took the token and the certificate out of the storage process of a node: nothing that belongs to other nodes changes by
 * them, and of the volumes of that node only what a storage process changes.
 */
@Journey
@Tag("refusals")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StolenIdentityIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PLACED = Duration.ofSeconds(60);
    private static final Duration ANSWERED = Duration.ofSeconds(30);
    private static final long KEYTOOL_SECONDS = 30;
    private static final String UUID_OF_NOBODY = UUID.randomUUID().toString();
    private static final String CONTROL_PORT = "7401";
    private static final String DATA_PORT = "7400";

    private final Map<String, String> tokens = new HashMap<>();
    private Cluster cluster;
    private Kubectl kubectl;
    /** A volume with copies on two of three nodes. */
    private String volume;

    private String holder;
    private String otherHolder;
    private String stranger;

    @TempDir
    private Path directory;

    @BeforeAll
    void makeAVolumeThatOneNodeDoesNotHold(Workspace workspace) {
        cluster = workspace.cluster();
        kubectl = cluster.kubectl();
        assumeTrue(cluster.storageNodes().size() > 2, "made for three storage nodes");
        volume = workspace.name();
        kubectl.apply("""
                apiVersion: gabion.io/v1alpha1
                kind: Volume
                metadata: {name: %s}
                spec: {size: 1Gi, pool: default, replicas: 2}
                """.formatted(volume));
        Waiting.untilEqual(
                "copies of the volume",
                PLACED,
                "2/2",
                () -> kubectl.field(".status.copies", "volumes.gabion.io", volume));
        JsonNode placement =
                kubectl.get("volumes.gabion.io", volume).path("status").path("placement");
        holder = placement.path(0).path("node").asText();
        otherHolder = placement.path(1).path("node").asText();
        stranger = cluster.storageNodes().stream()
                .filter(node -> !node.equals(holder) && !node.equals(otherHolder))
                .findFirst()
                .orElseThrow();
    }

    @AfterAll
    void deleteIt() {
        kubectl.attempt("delete", "volumes.gabion.io", volume, "--wait=false");
        Waiting.untilEqual(
                "the volume", PLACED, "", () -> kubectl.field(".metadata.name", "volumes.gabion.io", volume));
    }

    // ---- the token
    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        storagenodes/OTHER/status     | {"status":{"bootId":"x"}}                                      | the storage node OWN may not change the StorageNode OTHER
        storagenodes/OTHER/status     | {"status":{"address":{"host":"192.0.2.1"}}}                    | the storage node OWN may not change the StorageNode OTHER
        storagenodes/OTHER/status     | {"status":{"diskRecords":{"UUID":{"cluster":"UUID","pool":"default","openCount":1,"version":1}}}} | the storage node OWN may not change the StorageNode OTHER
        storagenodes/OTHER            | {"spec":{"unschedulable":true}}                                | cannot patch resource "storagenodes" in API group "gabion.io"
        storagenodes/OTHER            | {"metadata":{"labels":{"a":"b"}}}                              | cannot patch resource "storagenodes" in API group "gabion.io"
        storagenodes/OWN              | {"spec":{"tombstones":[]}}                                     | cannot patch resource "storagenodes" in API group "gabion.io"
        volumes/VOLUME/status         | {"status":{"config":{"version":999}}}                          | the storage node OWN may not change the volume VOLUME, which has no replica there
        volumes/VOLUME/status         | {"status":{"everWritten":true}}                                | the storage node OWN may not change the volume VOLUME, which has no replica there
        volumes/VOLUME/status         | {"status":{"removed":[{"replica":"UUID","node":"OWN"}],"config":{"version":999}}}       | the storage node OWN may not change the volume VOLUME, which has no replica there
        volumes/VOLUME                | {"metadata":{"labels":{"replica.gabion.io/OWN":""}}}           | cannot patch resource "volumes" in API group "gabion.io"
        storagepools/default          | {"spec":{"overcommitPercent":900}}                             | cannot patch resource "storagepools" in API group "gabion.io"
        storageclusters/gabion/status | {"status":{"version":"x"}}                                     | cannot patch resource "storageclusters/status" in API group "gabion.io"
        """)
    void theTokenOfANodeChangesNothingOfOthers(String object, String patch, String message)
            throws IOException, InterruptedException {
        refusedTo(stranger, otherHolder, object, patch, message);
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        volumes/VOLUME        | {"spec":{"size":"2Gi"}}                                        | cannot patch resource "volumes" in API group "gabion.io"
        volumes/VOLUME        | {"spec":{"deletionProtection":true}}                           | cannot patch resource "volumes" in API group "gabion.io"
        volumes/VOLUME        | {"metadata":{"labels":{"a":"b"}}}                              | cannot patch resource "volumes" in API group "gabion.io"
        volumes/VOLUME        | {"metadata":{"finalizers":[]}}                                 | cannot patch resource "volumes" in API group "gabion.io"
        volumes/VOLUME/status | {"status":{"placement":PLACEMENT_AND_ONE,"config":{"version":999}}} | a storage node takes only itself out of placement and removed
        volumes/VOLUME/status | {"status":{"removed":[{"replica":"UUID","node":"OTHER"}],"config":{"version":999}}} | a storage node takes only itself out of placement and removed
        volumes/VOLUME/status | {"status":{"deleting":true,"config":{"version":999}}}          | a storage node does not delete a volume
        volumes/VOLUME/status | {"status":{"volumeId":"UUID"}}                                 | volumeId never changes
        volumes/VOLUME/status | {"status":{"config":{"version":999,"sizeBytes":1048576}}}      | sizeBytes never shrinks
        volumes/VOLUME/status | {"status":{"config":{"version":999,"epoch":1}}}                | epoch never falls
        """)
    void theTokenOfANodeChangesOfItsVolumesOnlyWhatAStorageProcessDoes(String object, String patch, String message)
            throws IOException, InterruptedException {
        refusedTo(holder, stranger, object, patch, message);
    }

    @Test
    void theSpecificationIsNotChangedThroughTheStatus() throws IOException, InterruptedException {
        patch(
                token(holder),
                "volumes/" + volume + "/status",
                "{\"spec\":{\"size\":\"2Gi\",\"replicas\":1},\"metadata\":{\"labels\":{\"a\":\"b\"}}}");

        JsonNode after = kubectl.get("volumes.gabion.io", volume);
        assertThat(after.path("spec").path("size").asText()).isEqualTo("1Gi");
        assertThat(after.path("spec").path("replicas").asInt()).isEqualTo(2);
        assertThat(after.path("metadata").path("labels").has("a")).isFalse();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        delete volumes.gabion.io VOLUME                      | cannot delete resource "volumes"
        delete storagenodes OTHER                            | cannot delete resource "storagenodes"
        get secret gabion-ca -n gabion-system                | cannot get resource "secrets"
        get pods -n gabion-system                            | cannot list resource "pods"
        get certificatesigningrequests                       | cannot list resource "certificatesigningrequests"
        create token gabion-operator -n gabion-system        | cannot create resource "serviceaccounts/token"
        """)
    void theTokenOfANodeDoesNothingElse(String command, String message) throws IOException {
        Kubectl.Result result =
                as(token(stranger), filled(command, stranger, otherHolder).split(" ", -1));

        assertThat(result.succeeded()).as(result.toString()).isFalse();
        assertThat(result.errors()).contains(message);
    }

    @Test
    void aTokenThatNamesNoNodeChangesNothing() throws IOException, InterruptedException {
        String unbound = kubectl.run("create", "token", "gabion-data-plane", "-n", Cluster.GABION_NAMESPACE);
        String message =
                "the token names no node; a storage node must use the token that the kubelet mounts into its pod";

        refused(unbound, "storagenodes/" + holder + "/status", "{\"status\":{\"bootId\":\"x\"}}", message);
        refused(unbound, "volumes/" + volume + "/status", "{\"status\":{\"everWritten\":true}}", message);
    }

    @Test
    void theTokenOfANodeGetsNoCertificateForAnother() throws IOException, InterruptedException {
        String name = "e2e-" + UUID.randomUUID();
        Path file = directory.resolve("request.json");
        Files.writeString(file, """
                {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "%s"},
                 "spec": {"signerName": "gabion.io/internal", "usages": ["digital signature", "client auth"], "request": "%s"}}
                """.formatted(
                        name,
                        Base64.getEncoder()
                                .encodeToString(certificateRequest(otherHolder).getBytes(StandardCharsets.US_ASCII))));
        as(token(stranger), "create", "-f", file.toString()).orThrow();
        try {
            String[] object = {"certificatesigningrequest", name};
            Waiting.untilEqual(
                    "answer to the request",
                    ANSWERED,
                    "Denied",
                    () -> kubectl.field(".status.conditions[*].type", object));
            assertThat(kubectl.field(".status.conditions[*].message", object))
                    .contains("the subject must be CN=" + stranger + ", O=node for this ServiceAccount and node");
            assertThat(kubectl.field(".status.certificate", object)).isEmpty();
        } finally {
            kubectl.run("delete", "certificatesigningrequest", name);
        }
    }

    // ---- the certificate
    @Test
    void theCertificateOfANodeCommandsNoOther() throws IOException, GeneralSecurityException, InterruptedException {
        StolenCertificate certificate = certificateOf(stranger);
        try (KubectlServer server = forward(otherHolder, CONTROL_PORT)) {
            for (String call : List.of("GetNodeStatus", "ListReplicas", "StartVerify", "Handover")) {
                String method = "gabion.control.v1.NodeControl/" + call;
                String accepted = call.equals("ListReplicas") ? "[csi-controller, operator]" : "[operator]";
                assertThat(certificate.call(server.port(), method))
                        .isEqualTo("7 the caller's certificate " + certificate.name() + " has a role that may not call "
                                + method + "; accepted: " + accepted);
            }
        }
    }

    @Test
    void theCertificateOfANodeDoesNotPassForAnother() throws IOException, GeneralSecurityException {
        StolenCertificate certificate = certificateOf(stranger);
        byte[] helloOfTheOther;
        try (KubectlServer server = forward(otherHolder, DATA_PORT)) {
            helloOfTheOther = certificate.greeted(server.port());
        }
        try (KubectlServer server = forward(holder, DATA_PORT)) {
            assertThat(certificate.introducedAs(server.port(), helloOfTheOther))
                    .isEqualTo("you say that you are node/" + otherHolder + ", your certificate says node/" + stranger);
        }
    }

    // ---- means
    private void refusedTo(String own, String other, String object, String patch, String message)
            throws IOException, InterruptedException {
        refused(token(own), filled(object, own, other), filled(patch, own, other), filled(message, own, other));
    }

    private void refused(String token, String object, String patch, String message)
            throws IOException, InterruptedException {
        HttpResponse<String> answer = patch(token, object, patch);

        assertThat(answer.statusCode()).as(answer.body()).isBetween(400, 499);
        assertThat(JSON.readTree(answer.body()).path("message").asText()).contains(message);
    }

    /** Not by {@code kubectl patch}, which reads first what it changes: that is forbidden already. */
    private HttpResponse<String> patch(String token, String object, String patch)
            throws IOException, InterruptedException {
        try (KubectlServer server = KubectlServer.proxy(kubectl, kubeconfig(token));
                HttpClient client = HttpClient.newHttpClient()) {
            URI uri = URI.create("http://127.0.0.1:" + server.port() + "/apis/gabion.io/v1alpha1/" + object);
            return client.send(
                    HttpRequest.newBuilder(uri)
                            .header("content-type", "application/merge-patch+json")
                            .method("PATCH", HttpRequest.BodyPublishers.ofString(patch))
                            .timeout(ANSWERED)
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }

    private String filled(String text, String own, String other) {
        String placement = text.contains("PLACEMENT_AND_ONE")
                ? kubectl.field(".status.placement", "volumes.gabion.io", volume)
                        .replaceFirst("]$", ",{\"replica\":\"UUID\",\"node\":\"OTHER\"}]")
                : "";
        return text.replace("PLACEMENT_AND_ONE", placement)
                .replace("OWN", own)
                .replace("OTHER", other)
                .replace("VOLUME", volume)
                .replace("UUID", UUID_OF_NOBODY);
    }

    /** The token that the kubelet mounted into the storage process. */
    private String token(String node) {
        return tokens.computeIfAbsent(node, _ -> fileOf(node, "/var/run/secrets/kubernetes.io/serviceaccount/token"));
    }

    private StolenCertificate certificateOf(String node) throws IOException, GeneralSecurityException {
        String certificates = "/var/lib/gabion/certificates/";
        return StolenCertificate.of(
                fileOf(node, certificates + "certificate.pem"), fileOf(node, certificates + "key.pem"));
    }

    /** A file as the storage process of a node sees it. */
    private String fileOf(String node, String file) {
        return cluster.host(node).run("""
                for process in /proc/[0-9]*; do
                  tr '\\0' ' ' < $process/cmdline | grep -q '^[^ ]*java .*io.gabion.node.StorageNode' && exec chroot $process/root cat %s
                done
                echo 'no storage process runs here' >&2
                exit 1""".formatted(file));
    }

    /** For calls with a token and nothing else that proves who calls. */
    private String kubeconfig(String token) throws IOException {
        String server = kubectl.run(
                "config", "view", "--raw", "--minify", "--flatten", "-o", "jsonpath={.clusters[0].cluster}");
        Path file = directory.resolve("kubeconfig");
        Files.writeString(file, """
                {"apiVersion": "v1", "kind": "Config", "current-context": "stolen",
                 "contexts": [{"name": "stolen", "context": {"cluster": "this", "user": "thief"}}],
                 "clusters": [{"name": "this", "cluster": %s}], "users": [{"name": "thief", "user": {"token": "%s"}}]}
                """.formatted(server, token));
        return file.toString();
    }

    private Kubectl.Result as(String token, String... command) throws IOException {
        return kubectl.attempt(Stream.concat(Stream.of("--kubeconfig", kubeconfig(token)), Stream.of(command))
                .toArray(String[]::new));
    }

    private KubectlServer forward(String node, String port) throws IOException {
        return KubectlServer.forward(kubectl, cluster.podOf(Component.DATA_PLANE, node), port);
    }

    /** For a certificate of a storage node. */
    private String certificateRequest(String node) throws IOException, InterruptedException {
        keytool("-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=" + node + ", O=node");
        return keytool("-certreq").replace("NEW CERTIFICATE REQUEST", "CERTIFICATE REQUEST");
    }

    private String keytool(String... arguments) throws IOException, InterruptedException {
        Path program = Path.of(System.getProperty("java.home"), "bin", "keytool");
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-alias", "a", "-storepass", "changeit", "-keystore"));
        command.add(directory.resolve("keys").toString());
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(KEYTOOL_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(said).isZero();
        return said;
    }
}
