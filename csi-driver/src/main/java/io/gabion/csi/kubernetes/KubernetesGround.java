package io.gabion.csi.kubernetes;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.gabion.api.time.Pause;
import io.gabion.csi.CsiOptions;
import io.gabion.csi.CsiProcess.Ground;
import io.gabion.csi.CsiProcess.OpenGround;
import io.gabion.csi.agent.AgentClient;
import io.gabion.csi.node.TopologyKey;
import io.gabion.protocol.control.ControlTls;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the driver stands on in a Kubernetes cluster: its API, the agent of this machine and the storage nodes. */
public final class KubernetesGround implements OpenGround {
    private static final Logger LOG = LoggerFactory.getLogger(KubernetesGround.class);
    private static final String ZONE = "topology.kubernetes.io/zone";
    /** When all machines start together, the API server is late; ending instead would make the kubelet wait longer each time. */
    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(3);

    private static final Duration REQUEST_LIMIT = Duration.ofSeconds(8);
    private static final int REQUEST_RETRIES = 2;
    /** The port that nothing listens on. */
    private static final String NOWHERE = "http://127.0.0.1:1";

    private static final Duration RETRY = Duration.ofSeconds(2);

    private final KubernetesClient client;
    private final KubernetesNodes nodes;
    private final AgentClient agent;
    private final Optional<DriverCertificate> certificate;
    private final KubernetesVolumes volumes;
    private final Ground ground;

    private KubernetesGround(CsiOptions options, KubernetesClient client, String domain) {
        this.client = client;
        this.nodes = new KubernetesNodes(client);
        this.agent = new AgentClient(options.agentSocket());
        this.certificate = options.role().isController()
                ? Optional.of(DriverCertificate.start(client, options.certificateDirectory()))
                : Optional.empty();
        this.volumes = new KubernetesVolumes(client, options.node().value());
        this.ground = new Ground(volumes, nodes, new NodeControlWitness(nodes, this::tls), agent, domain, true);
    }

    /** Waits for the API server where something must be asked of it first; throws {@link IOException} at an answer that is wrong. */
    public static KubernetesGround open(CsiOptions options, Consumer<String> waitingFor) throws IOException {
        KubernetesClient client = new KubernetesClientBuilder()
                .withConfig(bounded(Config.autoConfigure(null)))
                // A request that times out takes its connection with it; over HTTP/2 all later ones would wait on the
                // same dead one.
                .withHttpClientBuilderConsumer(HttpClient.Builder::preferHttp11)
                .build();
        try {
            String domain =
                    options.role().isNode() ? domain(client, options.node().value(), waitingFor) : "";
            return new KubernetesGround(options, client, domain);
        } catch (IOException | RuntimeException e) {
            client.close();
            throw e;
        }
    }

    /** A ground whose API server does not exist. */
    public static KubernetesGround nowhere(CsiOptions options) {
        Config config = bounded(Config.empty());
        config.setMasterUrl(NOWHERE);
        return new KubernetesGround(
                options, new KubernetesClientBuilder().withConfig(config).build(), TopologyKey.DEFAULT_DOMAIN);
    }

    /** A question to an API server that is away ends before the caller's patience does; callers ask again by themselves. */
    private static Config bounded(Config config) {
        config.setConnectionTimeout((int) CONNECT_LIMIT.toMillis());
        config.setRequestTimeout((int) REQUEST_LIMIT.toMillis());
        config.setRequestRetryBackoffLimit(REQUEST_RETRIES);
        return config;
    }

    /** The label that somebody gave this machine for us, else its zone: never the machine itself. */
    private static String domain(KubernetesClient client, String name, Consumer<String> waitingFor) throws IOException {
        Node node = node(client, name, waitingFor);
        Map<String, String> labels =
                Objects.requireNonNullElse(node.getMetadata().getLabels(), Map.of());
        return labels.getOrDefault(TopologyKey.DOMAIN, labels.getOrDefault(ZONE, TopologyKey.DEFAULT_DOMAIN));
    }

    private static Node node(KubernetesClient client, String name, Consumer<String> waitingFor) throws IOException {
        while (true) {
            try {
                @Nullable Node node = client.nodes().withName(name).get();
                if (node == null) {
                    throw new IOException(
                            "there is no Kubernetes node \"" + name + "\": --node-name must be the node's name");
                }
                return node;
            } catch (KubernetesClientException e) {
                String reason = "cannot read node \"" + name + "\": " + e.getMessage();
                LOG.warn(reason);
                waitingFor.accept(reason);
            }
            pause();
        }
    }

    private static void pause() throws IOException {
        try {
            Pause.REAL.last(RETRY);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while starting", e);
        }
    }

    private ControlTls tls() throws IOException {
        return certificate
                .orElseThrow(() -> new IOException("only the controller asks storage nodes"))
                .current();
    }

    @Override
    public Ground ground() {
        return ground;
    }

    @Override
    public void close() {
        certificate.ifPresent(DriverCertificate::close);
        nodes.close();
        volumes.close();
        agent.close();
        client.close();
    }
}
