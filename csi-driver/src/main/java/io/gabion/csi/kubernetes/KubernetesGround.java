package io.gabion.csi.kubernetes;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gabion.csi.CsiOptions;
import io.gabion.csi.CsiProcess.Ground;
import io.gabion.csi.agent.AgentClient;
import io.gabion.csi.node.TopologyKey;
import io.gabion.protocol.control.ControlTls;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the driver stands on in a Kubernetes cluster: its API, the agent of this machine and the storage nodes. */
public final class KubernetesGround implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KubernetesGround.class);
    private static final String ZONE = "topology.kubernetes.io/zone";
    /** When all machines start together, the API server is late; ending instead would make the kubelet wait longer each time. */
    private static final Duration API_SERVER_LIMIT = Duration.ofSeconds(90);

    private static final Duration RETRY = Duration.ofSeconds(2);

    private final KubernetesClient client;
    private final KubernetesNodes nodes;
    private final AgentClient agent;
    private final Optional<DriverCertificate> certificate;
    private final Ground ground;

    private KubernetesGround(CsiOptions options, KubernetesClient client) throws IOException {
        this.client = client;
        String domain = options.role().isNode() ? domain(client, options.node().value()) : "";
        this.nodes = new KubernetesNodes(client);
        this.agent = new AgentClient(options.agentSocket());
        this.certificate = options.role().isController()
                ? Optional.of(DriverCertificate.start(client, options.certificateDirectory()))
                : Optional.empty();
        this.ground = new Ground(
                new KubernetesVolumes(client, options.node().value()),
                nodes,
                new NodeControlWitness(nodes, this::tls),
                agent,
                domain,
                true);
    }

    /** Connects; throws {@link IOException} when the API server cannot be asked. */
    public static KubernetesGround open(CsiOptions options) throws IOException {
        KubernetesClient client = new KubernetesClientBuilder().build();
        try {
            return new KubernetesGround(options, client);
        } catch (IOException | RuntimeException e) {
            client.close();
            throw e;
        }
    }

    /** The label that somebody gave this machine for us, else its zone: never the machine itself. */
    private static String domain(KubernetesClient client, String name) throws IOException {
        Node node = node(client, name);
        Map<String, String> labels =
                Objects.requireNonNullElse(node.getMetadata().getLabels(), Map.of());
        return labels.getOrDefault(TopologyKey.DOMAIN, labels.getOrDefault(ZONE, TopologyKey.DEFAULT_DOMAIN));
    }

    private static Node node(KubernetesClient client, String name) throws IOException {
        long deadlineNanos = System.nanoTime() + API_SERVER_LIMIT.toNanos();
        while (true) {
            try {
                @Nullable Node node = client.nodes().withName(name).get();
                if (node == null) {
                    throw new IOException(
                            "there is no Kubernetes node \"" + name + "\": --node-name must be the node's name");
                }
                return node;
            } catch (KubernetesClientException e) {
                if (System.nanoTime() > deadlineNanos) {
                    throw new IOException("cannot read node \"" + name + "\": " + e.getMessage(), e);
                }
                LOG.warn("cannot read node \"{}\" yet: {}", name, e.getMessage());
            }
            pause();
        }
    }

    private static void pause() throws IOException {
        try {
            TimeUnit.MILLISECONDS.sleep(RETRY.toMillis());
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

    public Ground ground() {
        return ground;
    }

    @Override
    public void close() {
        certificate.ifPresent(DriverCertificate::close);
        nodes.close();
        agent.close();
        client.close();
    }
}
