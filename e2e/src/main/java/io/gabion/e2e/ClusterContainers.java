package io.gabion.e2e;

import static java.util.Objects.requireNonNull;

import com.github.dockerjava.api.command.CreateContainerCmd;
import com.github.dockerjava.api.model.Volume;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.testcontainers.containers.BindMode;
import org.testcontainers.containers.Container.ExecResult;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.k3s.K3sContainer;
import org.testcontainers.utility.DockerImageName;
import org.testcontainers.utility.MountableFile;

/**
 * A cluster of its own for one run of the tests, where the variable {@code KUBECONFIG} names none: a server without disks for Gabion and
 * three storage nodes, each a container of the public k3s image or of one that behaves like it, with Gabion installed from the chart.
 * System properties: {@code gabion.node.image}, {@code gabion.images} (names of images of the engine that every node gets, with
 * commas between), {@code gabion.helm} and {@code gabion.chart} (paths).
 */
final class ClusterContainers implements AutoCloseable {
    private static final String PUBLIC_IMAGE = "rancher/k3s:v1.34.1-k3s1";
    private static final String SERVER = "server";
    private static final List<String> STORAGE = List.of("storage-1", "storage-2", "storage-3");
    private static final String STORAGE_LABEL = "gabion.io/storage=true";
    private static final List<String> WORKLOADS = List.of(
            "deployment/gabion-operator",
            "deployment/gabion-csi-controller",
            "daemonset/gabion-data-plane",
            "daemonset/gabion-agent",
            "daemonset/gabion-csi-node");
    private static final String POOL_SIZE = "4Gi";
    private static final Duration NODES_READY = Duration.ofMinutes(4);
    private static final Duration INSTALLED = Duration.ofMinutes(10);
    private static final Duration TAKEN = Duration.ofMinutes(1);

    /** In which of them containerd listens depends on the image. */
    private static final String IMPORT = """
            for socket in /run/k3s/containerd/containerd.sock /run/k3s/containerd.sock; do
              if [ -S $socket ]; then exec ctr -a $socket -n k8s.io images import /tmp/images.tar; fi
            done
            echo 'containerd listens nowhere' >&2; exit 1""";

    private final Network network = Network.newNetwork();
    private final Map<String, GenericContainer<?>> nodes = new LinkedHashMap<>();
    private final Path kubeconfig;
    private final Kubectl kubectl;

    /** Containers of the nodes are called this and the node's name. */
    private final String prefix = "gabion-e2e-" + ProcessHandle.current().pid() + "-";

    private ClusterContainers(String program) throws IOException {
        kubeconfig = Files.createTempFile(
                "gabion-e2e",
                ".kubeconfig",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        kubectl = new Kubectl(program, Map.of("KUBECONFIG", kubeconfig.toString()));
    }

    /** Starts the nodes and installs Gabion; takes minutes. */
    static ClusterContainers start(String program) {
        ClusterContainers containers = null;
        try {
            containers = new ClusterContainers(program);
            containers.startNodes();
            containers.loadImages();
            containers.install();
            return containers;
        } catch (IOException | RuntimeException | Error e) {
            if (containers != null) {
                containers.close();
            }
            throw new AssertionError("no cluster in containers; with KUBECONFIG set its cluster is used", e);
        }
    }

    Kubectl kubectl() {
        return kubectl;
    }

    String prefix() {
        return prefix;
    }

    private void startNodes() throws IOException {
        DockerImageName image = DockerImageName.parse(System.getProperty("gabion.node.image", PUBLIC_IMAGE))
                .asCompatibleSubstituteFor("rancher/k3s");
        String token = newToken();
        K3sContainer server = new K3sContainer(image);
        startNode(SERVER, server, token);
        Files.writeString(kubeconfig, server.getKubeConfigYaml());
        for (String name : STORAGE) {
            GenericContainer<?> agent = new GenericContainer<>(image)
                    .withPrivilegedMode(true)
                    .withFileSystemBind("/sys/fs/cgroup", "/sys/fs/cgroup", BindMode.READ_WRITE)
                    .withTmpFs(Map.of("/run", "", "/var/run", ""))
                    .withEnv("K3S_URL", "https://" + SERVER + ":6443")
                    .withCommand("agent");
            startNode(name, agent, token);
        }
        for (String name : nodes.keySet()) {
            Waiting.untilEqual(
                    "node " + name + " Ready",
                    NODES_READY,
                    "True",
                    () -> kubectl.field(".status.conditions[?(@.type==\"Ready\")].status", "node", name));
        }
        STORAGE.forEach(name -> kubectl.run("label", "node", name, STORAGE_LABEL));
    }

    private void startNode(String name, GenericContainer<?> node, String token) {
        nodes.put(name, node);
        node.withNetwork(network)
                .withNetworkAliases(name)
                .withEnv("K3S_TOKEN", token)
                .withCreateContainerCmdModifier(command -> asMachine(command, name))
                .start();
        // What a pod mounts for another one has to be seen by that; the public image leaves it to who starts it.
        exec(node, "mount", "--make-rshared", "/");
    }

    private void asMachine(CreateContainerCmd command, String name) {
        requireNonNull(command.getHostConfig()).withCgroupnsMode("host");
        // A disk of its own for the data: file systems in layers know no direct I/O.
        command.withName(prefix + name).withHostName(name).withVolumes(new Volume("/var/lib/gabion"));
    }

    /** What agents join with. */
    private static String newToken() {
        byte[] token = new byte[16];
        new SecureRandom().nextBytes(token);
        return HexFormat.of().formatHex(token);
    }

    private void loadImages() throws IOException {
        String images = System.getProperty("gabion.images", "");
        if (images.isEmpty()) {
            return;
        }
        Path archive = Files.createTempFile("gabion-e2e", ".tar");
        try {
            List<String> save = new ArrayList<>(List.of("docker", "save", "-o", archive.toString()));
            save.addAll(List.of(images.split(",", -1)));
            Commands.run(save);
            for (GenericContainer<?> node : nodes.values()) {
                node.copyFileToContainer(MountableFile.forHostPath(archive), "/tmp/images.tar");
                exec(node, "sh", "-c", IMPORT);
                exec(node, "rm", "/tmp/images.tar");
            }
        } finally {
            Files.delete(archive);
        }
    }

    private void install() {
        Commands.run(List.of(
                System.getProperty("gabion.helm", "helm"),
                "--kubeconfig=" + kubeconfig,
                "install",
                "gabion",
                System.getProperty("gabion.chart", "../charts/gabion"),
                "--namespace=" + Cluster.GABION_NAMESPACE,
                "--create-namespace",
                "--set=devPool.size=" + POOL_SIZE,
                "--set-string=devPool.nodeSelector.gabion\\.io/storage=true",
                "--set-string=dataPlane.nodeSelector.gabion\\.io/storage=true"));
        for (String workload : WORKLOADS) {
            boolean everywhere = workload.startsWith("daemonset/");
            String wanted = everywhere ? ".status.desiredNumberScheduled" : ".spec.replicas";
            String ready = everywhere ? ".status.numberReady" : ".status.readyReplicas";
            Waiting.until(
                    workload + " is ready",
                    INSTALLED,
                    () -> {
                        String count = count(workload, wanted);
                        return !count.isEmpty() && !count.equals("0") && count.equals(count(workload, ready));
                    },
                    () -> kubectl.attempt("describe", "-n", Cluster.GABION_NAMESPACE, workload)
                            .output());
        }
        kubectl.run("wait", "--for=condition=Ready", "--timeout=" + TAKEN.toSeconds() + "s", "storagepools", "--all");
    }

    private String count(String workload, String field) {
        return kubectl.field(field, "-n", Cluster.GABION_NAMESPACE, workload);
    }

    private static void exec(GenericContainer<?> node, String... command) {
        try {
            ExecResult result = node.execInContainer(command);
            if (result.getExitCode() != 0) {
                throw new AssertionError(
                        node.getContainerName() + ": " + String.join(" ", command) + ": " + result.getStderr());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw Commands.interrupted(e);
        }
    }

    /** Removes the nodes. */
    @Override
    public void close() {
        nodes.values().forEach(GenericContainer::stop);
        network.close();
        try {
            Files.deleteIfExists(kubeconfig);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
