package io.gabion.api.testing;

import io.fabric8.kubeapitest.KubeAPIServer;
import io.fabric8.kubeapitest.KubeAPIServerConfigBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.gabion.api.v1alpha1.Kinds;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * A real kube-apiserver on a real etcd with the definitions installed, one for all tests of a JVM. Skips with a reason where
 * the binaries are missing: they are looked for in the folder that the environment variable {@code GABION_KUBERNETES_BIN} names
 * (default: {@code ~/.cache/gabion/kubernetes/bin}); {@code ./dev} builds them.
 *
 * <p>A test class says {@code @ExtendWith(RealApiServer.class)} and gets a {@link KubernetesClient} of an administrator as a
 * parameter.
 */
public final class RealApiServer implements BeforeAllCallback, ParameterResolver {
    private static final List<String> BINARIES = List.of("etcd", "kube-apiserver", "kubectl");
    /** Any; the layout wants one. */
    private static final String VERSION = "1.34.0";

    private static final int STARTUP_MILLIS = 120_000;
    private static final long ESTABLISHED_SECONDS = 30;
    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(RealApiServer.class);

    @Override
    public void beforeAll(ExtensionContext context) {
        running(context);
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == KubernetesClient.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return running(context).client;
    }

    private static Running running(ExtensionContext context) {
        Path binaries = folder();
        for (String name : BINARIES) {
            Assumptions.assumeTrue(
                    Files.isExecutable(binaries.resolve(name)),
                    () -> "skipped: no " + binaries.resolve(name) + "; ./dev builds it, or set GABION_KUBERNETES_BIN");
        }
        return context.getRoot()
                .getStore(NAMESPACE)
                .getOrComputeIfAbsent("server", key -> Running.start(binaries), Running.class);
    }

    private static Path folder() {
        String given = System.getenv("GABION_KUBERNETES_BIN");
        return given == null || given.isBlank()
                ? Path.of(System.getProperty("user.home"), ".cache", "gabion", "kubernetes", "bin")
                : Path.of(given);
    }

    private static final class Running implements AutoCloseable {
        private final KubeAPIServer server;
        private final KubernetesClient client;

        private Running(KubeAPIServer server, KubernetesClient client) {
            this.server = server;
            this.client = client;
        }

        static Running start(Path binaries) {
            KubeAPIServer server = new KubeAPIServer(KubeAPIServerConfigBuilder.anAPIServerConfig()
                    .withOfflineMode(true)
                    .withTestDir(layout(binaries).toString())
                    .withApiServerVersion(VERSION)
                    .withStartupTimeout(STARTUP_MILLIS)
                    .withApiServerFlag("--bind-address", "127.0.0.1")
                    .build());
            server.start();
            Config config = Config.fromKubeconfig(server.getKubeConfigYaml());
            KubernetesClient client =
                    new KubernetesClientBuilder().withConfig(config).build();
            for (Class<? extends CustomResource<?, ?>> kind : Kinds.ALL) {
                install(client, Kinds.definitionResource(kind));
            }
            return new Running(server, client);
        }

        /** The layout that the test server wants, made of links. */
        private static Path layout(Path binaries) {
            try {
                Path root = Files.createTempDirectory("gabion-api-server");
                String architecture = "aarch64".equals(System.getProperty("os.arch")) ? "arm64" : "amd64";
                Path folder = root.resolve("k8s").resolve(VERSION + "-linux-" + architecture);
                Files.createDirectories(folder);
                for (String name : BINARIES) {
                    Files.createSymbolicLink(folder.resolve(name), binaries.resolve(name));
                }
                return root;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static void install(KubernetesClient client, String resource) {
            try (InputStream yaml = Kinds.class.getResourceAsStream(resource)) {
                CustomResourceDefinition definition = client.apiextensions()
                        .v1()
                        .customResourceDefinitions()
                        .load(yaml)
                        .item();
                client.resource(definition).create();
                client.resource(definition)
                        .waitUntilCondition(RealApiServer::isEstablished, ESTABLISHED_SECONDS, TimeUnit.SECONDS);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            client.close();
            server.stop();
        }
    }

    private static boolean isEstablished(CustomResourceDefinition definition) {
        return definition != null
                && definition.getStatus() != null
                && definition.getStatus().getConditions() != null
                && definition.getStatus().getConditions().stream()
                        .anyMatch(c -> "Established".equals(c.getType()) && "True".equals(c.getStatus()));
    }
}
