package io.gabion.operator;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.gabion.api.testing.RealApiServer;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.operator.failpoint.FailPoint;
import io.gabion.operator.real.Await;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The program as its image starts it, with the rights that the chart gives it and no others. */
@Tag("kubernetes")
@Tag("long")
@Timeout(300)
@ExtendWith(RealApiServer.class)
class OperatorProcessIT {
    private static final String NAME = "v1";
    private static final Duration LEASE_RUNS_OUT = Duration.ofSeconds(40);
    private static final Path CHART = Path.of("..", "charts", "gabion");
    private static final List<String> RIGHTS =
            List.of("templates/operator/rbac.yaml", "templates/admission/operator.yaml");

    private final KubernetesClient admin;
    private final List<Process> processes = new ArrayList<>();
    private Path directory;
    private RealWorld w;
    private boolean passed;

    OperatorProcessIT(KubernetesClient client) {
        this.admin = client;
    }

    @BeforeEach
    void start(@TempDir Path temporary) throws Exception {
        directory = temporary;
        w = new RealWorld(admin, temporary);
        admin.resource(new ServiceAccountBuilder()
                        .withNewMetadata()
                        .withName("gabion-operator")
                        .withNamespace(GabionApi.NAMESPACE)
                        .endMetadata()
                        .build())
                .serverSideApply();
        for (String template : RIGHTS) {
            admin.load(Files.newInputStream(rendered(template))).serverSideApply();
        }
    }

    private Path rendered(String template) throws IOException, InterruptedException {
        String given = System.getenv("GABION_KUBERNETES_BIN");
        Path helm = given == null || given.isBlank()
                ? Path.of(System.getProperty("user.home"), ".cache", "gabion", "kubernetes", "bin", "helm")
                : Path.of(given, "helm");
        Assumptions.assumeTrue(Files.isExecutable(helm), () -> "skipped: no " + helm);
        Path output = directory.resolve("rendered.yaml");
        Process process = new ProcessBuilder(
                        helm.toString(),
                        "template",
                        "gabion",
                        CHART.toString(),
                        "--namespace",
                        GabionApi.NAMESPACE,
                        "--kube-version",
                        "1.34.0",
                        "--show-only",
                        template)
                .redirectOutput(output.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(process.waitFor()).as("helm template " + template).isZero();
        return output;
    }

    @AfterEach
    void stop() throws InterruptedException {
        for (Process process : processes) {
            process.destroyForcibly().waitFor();
        }
        if (!passed) {
            for (String name : List.of("first", "second", "third")) {
                System.out.println("---- " + name + "\n" + logOf(name));
            }
        }
        w.close();
    }

    private Process operator(String name, Map<String, String> more) throws IOException {
        String token = admin.serviceAccounts()
                .inNamespace(GabionApi.NAMESPACE)
                .withName("gabion-operator")
                .tokenRequest(new TokenRequestBuilder()
                        .withNewSpec()
                        .withExpirationSeconds(3600L)
                        .endSpec()
                        .build())
                .getStatus()
                .getToken();
        Path ca = directory.resolve("api-ca.crt");
        Files.writeString(ca, apiAuthority());
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                Operator.class.getName(),
                "--http-port",
                "0",
                "--http-address",
                "127.0.0.1",
                "--state-directory",
                directory.resolve(name).toString());
        builder.environment()
                .putAll(Map.of(
                        "KUBERNETES_MASTER",
                        admin.getMasterUrl().toString(),
                        "KUBERNETES_AUTH_TOKEN",
                        token,
                        "KUBERNETES_CERTS_CA_FILE",
                        ca.toString(),
                        "KUBECONFIG",
                        "/dev/null",
                        "POD_NAME",
                        name,
                        "POD_NAMESPACE",
                        GabionApi.NAMESPACE));
        builder.environment().putAll(more);
        Process process =
                builder.redirectErrorStream(true).redirectOutput(log(name)).start();
        processes.add(process);
        return process;
    }

    private File log(String name) {
        return directory.resolve(name + ".log").toFile();
    }

    private String apiAuthority() throws IOException {
        String file = admin.getConfiguration().getCaCertFile();
        String data = admin.getConfiguration().getCaCertData();
        return file != null
                ? Files.readString(Path.of(file))
                : new String(
                        java.util.Base64.getMimeDecoder().decode(data), java.nio.charset.StandardCharsets.US_ASCII);
    }

    private void leads(String name, Duration limit) {
        Await.until(
                name + " leads",
                limit,
                () -> {
                    var lease = admin.leases()
                            .inNamespace(GabionApi.NAMESPACE)
                            .withName(Operator.LEASE)
                            .get();
                    return lease != null && name.equals(lease.getSpec().getHolderIdentity());
                },
                () -> logOf(name));
    }

    private String logOf(String name) {
        try {
            return Files.readString(log(name).toPath());
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    void anOperatorThatIsKilledInTheMiddleIsFollowedByTheOther() throws Exception {
        Process first = operator("first", Map.of(FailPoint.VARIABLE, "create-record:after"));
        leads("first", RealWorld.SOON);
        Process second = operator("second", Map.of());
        w.begin("m1", "m2", "m3");
        w.create(NAME, 3);
        assertThat(first.waitFor(30, TimeUnit.SECONDS)).as("%s", logOf("first")).isTrue();
        assertThat(first.exitValue()).isEqualTo(FailPoint.EXIT_STATUS);
        Instant died = Instant.now();

        leads("second", LEASE_RUNS_OUT);
        w.settled(NAME, 3, LEASE_RUNS_OUT);
        System.out.println("another operator led "
                + Duration.between(died, Instant.now()).toMillis() + " ms after the leader died");
        assertThat(w.record(NAME).config().version()).isEqualTo(1);

        Process third = operator("third", Map.of());
        Await.until(
                "the third waits", RealWorld.SOON, () -> logOf("third").contains("second leads"), () -> logOf("third"));
        second.destroy();
        assertThat(second.waitFor(20, TimeUnit.SECONDS))
                .as("%s", logOf("second"))
                .isTrue();
        leads("third", Duration.ofSeconds(8));
        admin.resources(Volume.class).withName(NAME).delete();
        Await.until("the volume is gone", RealWorld.SOON, () -> w.volume(NAME).isEmpty(), () -> logOf("third"));
        assertThat(third.isAlive()).isTrue();
        for (String name : List.of("first", "second", "third")) {
            assertThat(logOf(name)).as("the chart's rights are enough").doesNotContain("orbidden");
        }
        passed = true;
    }
}
