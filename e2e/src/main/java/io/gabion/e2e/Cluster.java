package io.gabion.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.StreamSupport;

/**
 * The cluster under test, with Gabion installed: the one of the variable {@code KUBECONFIG}, else one in containers that is made for the
 * run; by the kubectl of the system property {@code gabion.kubectl}, else of the search path.
 */
public final class Cluster implements AutoCloseable {
    /** Of Gabion's own pods. */
    public static final String GABION_NAMESPACE = "gabion-system";
    /** Of what the tests of this run share. Another run beside it has its own. */
    static final String SHARED_NAMESPACE =
            "gabion-e2e-" + ProcessHandle.current().pid();
    /** Holds the programs that pods of the tests run. */
    static final String TOOLS_IMAGE = System.getProperty("gabion.tools.image", "gabion.local/test-tools:1");

    private static final Duration HOSTS_READY = Duration.ofMinutes(1);
    /** Deleted blocks come back many times a second, so a disk that was quiet for this long has none left. */
    private static final Duration SPACE_STEADY_FOR = Duration.ofSeconds(6);

    private static final Duration SPACE_STEADY_WITHIN = Duration.ofMinutes(3);
    /** Below what a file system of a test writes on its own. */
    private static final double SPACE_NOISE_BYTES = 1 << 20;

    private final Kubectl kubectl;
    private final Optional<ClusterContainers> containers;
    private final List<String> nodes;
    private final List<String> storageNodes;

    private Cluster(
            Kubectl kubectl, Optional<ClusterContainers> containers, List<String> nodes, List<String> storageNodes) {
        this.kubectl = kubectl;
        this.containers = containers;
        this.nodes = nodes;
        this.storageNodes = storageNodes;
    }

    /** Finds the cluster and brings to every node what the tests need there. */
    public static Cluster open() {
        String program = System.getProperty("gabion.kubectl", "kubectl");
        Optional<ClusterContainers> containers =
                System.getenv("KUBECONFIG") == null ? Optional.of(ClusterContainers.start(program)) : Optional.empty();
        Kubectl kubectl = containers.map(ClusterContainers::kubectl).orElseGet(() -> new Kubectl(program));
        List<String> nodes = names(kubectl.get("nodes"));
        List<String> storageNodes = new ArrayList<>();
        for (JsonNode node : kubectl.get("storagenodes").path("items")) {
            if (!node.path("spec").path("disks").isEmpty()) {
                storageNodes.add(node.path("metadata").path("name").asText());
            }
        }
        Cluster cluster = new Cluster(kubectl, containers, nodes, List.copyOf(storageNodes));
        kubectl.apply(Hosts.manifest());
        Waiting.untilEqual(
                "pods of the tests on every node",
                HOSTS_READY,
                Integer.toString(nodes.size()),
                () -> kubectl.field(".status.numberReady", "-n", SHARED_NAMESPACE, "daemonset", Hosts.NAME));
        return cluster;
    }

    private static List<String> names(JsonNode list) {
        return StreamSupport.stream(list.path("items").spliterator(), false)
                .map(item -> item.path("metadata").path("name").asText())
                .toList();
    }

    public Kubectl kubectl() {
        return kubectl;
    }

    public List<String> nodes() {
        return nodes;
    }

    public List<String> storageNodes() {
        return storageNodes;
    }

    /** Nodes are containers of the engine here, called this and their name; empty where they are not, or nobody said so. */
    Optional<String> nodeContainers() {
        return containers
                .map(ClusterContainers::prefix)
                .or(() -> Optional.ofNullable(System.getProperty("gabion.node.containers")));
    }

    /** The host of a node. */
    public Hosts host(String node) {
        return new Hosts(kubectl, node);
    }

    /** The pod of a component on a node; not one that is about to end. */
    public String podOf(Component component, String node) {
        return pods(component).stream()
                .filter(pod -> pod.node().equals(node) && !pod.ending())
                .findFirst()
                .orElseThrow(() -> new AssertionError("no pod of " + component.label() + " on node " + node))
                .name();
    }

    /**
     * A pod of a component.
     *
     * @param ending it was told to end
     */
    public record ComponentPod(String name, String uid, String node, boolean ready, boolean ending) {}

    /** All pods of a component. */
    public List<ComponentPod> pods(Component component) {
        List<ComponentPod> pods = new ArrayList<>();
        for (JsonNode pod : kubectl.get(
                        "pods", "-n", GABION_NAMESPACE, "-l", "app.kubernetes.io/component=" + component.label())
                .path("items")) {
            boolean ready = false;
            for (JsonNode condition : pod.path("status").path("conditions")) {
                ready |= condition.path("type").asText().equals("Ready")
                        && condition.path("status").asText().equals("True");
            }
            pods.add(new ComponentPod(
                    pod.path("metadata").path("name").asText(),
                    pod.path("metadata").path("uid").asText(),
                    pod.path("spec").path("nodeName").asText(),
                    ready,
                    pod.path("metadata").has("deletionTimestamp")));
        }
        return pods;
    }

    /** A node that can run pods and keeps no data. */
    public String disklessNode() {
        return nodes.stream()
                .filter(node -> !storageNodes.contains(node))
                .findFirst()
                .orElseThrow(() -> new AssertionError("every node has disks: " + nodes));
    }

    /** Bytes that the volumes use on the disks of a storage node. */
    public double usedBytes(String node) {
        return metric(Component.DATA_PLANE, node, "gabion_disk_used_bytes");
    }

    /** The same of all these nodes together. */
    public double usedBytes(List<String> nodes) {
        return nodes.stream().mapToDouble(this::usedBytes).sum();
    }

    /** The same, of all these nodes, once it no longer changes: what was deleted before comes back little by little. */
    public double steadyUsedBytes(List<String> nodes) {
        double[] bytes = {usedBytes(nodes)};
        long[] since = {System.nanoTime()};
        Waiting.until(
                "the space in use on " + nodes + " is steady",
                SPACE_STEADY_WITHIN,
                () -> {
                    double now = usedBytes(nodes);
                    if (Math.abs(now - bytes[0]) > SPACE_NOISE_BYTES) {
                        bytes[0] = now;
                        since[0] = System.nanoTime();
                    }
                    return Waiting.secondsSince(since[0]) >= SPACE_STEADY_FOR.toSeconds();
                },
                () -> bytes[0] + " bytes");
        return usedBytes(nodes);
    }

    /** Sum of the samples of a metric of a component on a node. */
    public double metric(Component component, String node, String name) {
        String path = "/api/v1/namespaces/" + GABION_NAMESPACE + "/pods/" + podOf(component, node) + ":"
                + component.metricsPort() + "/proxy/metrics";
        return kubectl.run("get", "--raw", path)
                .lines()
                .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    /** {@code kill -9} of the Java process of a component, and waits until another one is Ready. */
    public void killProcess(Component component, String node) {
        String pod = podOf(component, node);
        Hosts host = host(node);
        List<Integer> before = host.javaProcesses(containerOf(pod, component));
        host.kill(before);
        Waiting.until(
                component.label() + " on " + node + " runs again",
                Duration.ofSeconds(90),
                () -> {
                    List<Integer> now = host.javaProcesses(containerOf(pod, component));
                    return !now.isEmpty() && before.stream().noneMatch(now::contains) && isReady(pod);
                },
                () -> explainPod(pod));
    }

    private String containerOf(String pod, Component component) {
        return kubectl.field(
                        ".status.containerStatuses[?(@.name==\"" + component.container() + "\")].containerID",
                        "-n",
                        GABION_NAMESPACE,
                        "pod",
                        pod)
                .replaceFirst("^.*//", "");
    }

    private boolean isReady(String pod) {
        return kubectl.field(".status.conditions[?(@.type==\"Ready\")].status", "-n", GABION_NAMESPACE, "pod", pod)
                .equals("True");
    }

    private String explainPod(String pod) {
        return kubectl.attempt("describe", "-n", GABION_NAMESPACE, "pod", pod).output()
                + kubectl.attempt("logs", "-n", GABION_NAMESPACE, "--all-containers", "--tail=30", pod)
                        .output();
    }

    /** What a person would look at first when something is wrong. */
    public String explain() {
        StringBuilder text = new StringBuilder();
        for (String[] question : new String[][] {
            {"get", "storageclusters,storagepools,storagenodes,volumes", "-o", "wide"},
            {"get", "pods,persistentvolumeclaims", "-A", "-o", "wide"},
            {"get", "volumeattachments"},
            {"get", "events", "-A", "--field-selector=type=Warning", "--sort-by=.lastTimestamp"}
        }) {
            text.append(kubectl.attempt(question).output()).append('\n');
        }
        return text.toString();
    }

    @Override
    public void close() {
        kubectl.attempt("delete", "namespace", SHARED_NAMESPACE, "--wait=false");
        containers.ifPresent(ClusterContainers::close);
    }
}
