package io.gabion.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequest;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.gabion.agent.nbd.TestAuthority;
import io.gabion.api.testing.RealApiServer;
import io.gabion.api.testing.RequestSigner;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import io.gabion.process.Readiness;
import io.gabion.process.testing.Waiting;
import io.gabion.wire.Role;
import io.gabion.wire.TlsEngine;
import io.gabion.wire.TlsIdentity;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The start of an agent against a real API server; the test plays the operator. */
@Tag("kubernetes")
@ExtendWith(RealApiServer.class)
@Timeout(180)
class KubernetesIdentityIT {
    private static final NodeName NODE = new NodeName("node-7");

    private final KubernetesClient client;
    private final ClusterId cluster = new ClusterId(UUID.randomUUID());

    @TempDir
    private Path directory;

    KubernetesIdentityIT(KubernetesClient client) {
        this.client = client;
    }

    @Test
    void agentWaitsForItsClusterAndItsCertificateAndSaysSo() throws Exception {
        TestAuthority authority = TestAuthority.create(directory.resolve("ca"));
        AgentOptions options = AgentOptions.parse(List.of(
                "--kubernetes",
                "--name=" + NODE,
                "--socket-directory=" + directory,
                "--control-socket=" + directory.resolve("control.sock"),
                "--metrics-listen=127.0.0.1:0",
                "--loops=1"));
        AgentProcess.Ground ground = AgentProcess.Ground.lay(options);
        KubernetesIdentity identity = identity(ground.readiness());
        CompletableFuture<TlsIdentity> obtained = new CompletableFuture<>();
        Thread asking = Thread.ofVirtual().start(() -> {
            try {
                obtained.complete(identity.obtain());
            } catch (IOException | InterruptedException | RuntimeException e) {
                obtained.completeExceptionally(e);
            }
        });
        await(() -> ready(ground).body().contains("status.clusterId"));
        assertThat(get(ground, "/healthz").statusCode()).isEqualTo(200);
        assertThat(ready(ground).statusCode()).isEqualTo(503);
        declareCluster(cluster);
        await(() -> ready(ground).body().contains("certificate"));
        RequestSigner signer = new RequestSigner(client);
        signer.publish(Files.readString(authority.authorities()));
        CertificateSigningRequest request = signer.next("agent", NODE.value());
        signer.answer(request, authority.sign(RequestSigner.pem(request)));
        TlsIdentity tls = obtained.get(60, TimeUnit.SECONDS);
        asking.join();
        assertThat(tls.identity().cluster()).isEqualTo(cluster);
        assertThat(tls.identity().role()).isEqualTo(Role.AGENT);

        CompletableFuture<Void> other = new CompletableFuture<>();
        try (AgentProcess process = AgentProcess.start(options, tls, ground)) {
            assertThat(ready(ground).statusCode()).isEqualTo(200);
            // As after another installation on the same nodes.
            client.resources(StorageCluster.class).withName(StorageCluster.NAME).delete();
            declareCluster(new ClusterId(UUID.randomUUID()));
            process.closeWithIt(identity.keepFresh(tls, Duration.ZERO, () -> other.complete(null)));
            other.get(60, TimeUnit.SECONDS);
        }
        assertThat(directory.resolve("certificates/certificate.pem")).doesNotExist();
        assertThat(Files.exists(directory.resolve("certificates/key.pem"))).isTrue();
    }

    private KubernetesIdentity identity(Readiness readiness) {
        return new KubernetesIdentity(
                NODE,
                directory,
                TlsEngine.Choice.JDK,
                readiness,
                () -> new KubernetesClientBuilder()
                        .withConfig(client.getConfiguration())
                        .build(),
                InstantSource.system());
    }

    private static void await(BooleanSupplier condition) {
        Waiting.until("the condition", Duration.ofMinutes(1), condition::getAsBoolean);
    }

    private static HttpResponse<String> ready(AgentProcess.Ground ground) {
        return get(ground, "/readyz");
    }

    private static HttpResponse<String> get(AgentProcess.Ground ground, String path) {
        try (HttpClient http = HttpClient.newHttpClient()) {
            URI address = URI.create("http://127.0.0.1:" + ground.scrapes().port() + path);
            return http.send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    // ---- the operator's part
    private void declareCluster(ClusterId id) {
        StorageCluster wanted = new StorageCluster();
        wanted.getMetadata().setName(StorageCluster.NAME);
        client.resource(wanted).createOr(existing -> client.resource(wanted).get());
        client.resources(StorageCluster.class)
                .withName(StorageCluster.NAME)
                .subresource("status")
                .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"status\":{\"clusterId\":\"" + id + "\"}}");
    }
}
