package io.gabion.operator;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBindingBuilder;
import io.fabric8.kubernetes.api.model.rbac.Subject;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.api.v1alpha1.ReplicaOnNode;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.model.VolumeRecord;
import io.gabion.operator.failpoint.FailPoint;
import io.gabion.operator.fake.Objects;
import io.gabion.operator.real.Await;
import io.gabion.operator.real.LiveNodes;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/** A real API server, emptied, with machines and storage nodes; operators come and go. */
final class RealWorld implements AutoCloseable {
    static final Duration SOON = Duration.ofSeconds(30);
    static final Set<String> MACHINES = new TreeSet<>(Set.of("m1", "m2", "m3", "m4"));
    private static final String NO_FINALIZERS = "{\"metadata\":{\"finalizers\":null}}";

    final KubernetesClient admin;
    final LiveNodes nodes;
    private final Path directory;
    private final AtomicInteger count = new AtomicInteger();
    private final List<Running> running = new CopyOnWriteArrayList<>();

    /** An operator and its own connection. */
    record Running(Operator operator, KubernetesClient client) implements AutoCloseable {
        @Override
        public void close() {
            operator.close();
            client.close();
        }
    }

    RealWorld(KubernetesClient admin, Path directory) {
        this.admin = admin;
        this.directory = directory;
        empty();
        prepare();
        this.nodes = new LiveNodes(admin, directory);
    }

    // ---- the API server
    private void empty() {
        admin.certificates().v1().certificateSigningRequests().delete();
        admin.secrets().inNamespace(GabionApi.NAMESPACE).delete();
        admin.configMaps()
                .inNamespace(GabionApi.NAMESPACE)
                .withName(GabionApi.CA_CONFIG_MAP)
                .delete();
        admin.leases().inNamespace(GabionApi.NAMESPACE).delete();
        admin.v1().events().inNamespace("default").delete();
        admin.apps().daemonSets().inNamespace(GabionApi.NAMESPACE).delete();
        admin.apps().controllerRevisions().inNamespace(GabionApi.NAMESPACE).delete();
        admin.pods().inNamespace(GabionApi.NAMESPACE).withGracePeriod(0).delete();
        admin.nodes().delete();
        List<HasMetadata> ours = new ArrayList<>();
        ours.addAll(admin.resources(Volume.class).list().getItems());
        ours.addAll(admin.resources(StorageNode.class).list().getItems());
        ours.addAll(admin.resources(StoragePool.class).list().getItems());
        ours.addAll(admin.resources(StorageCluster.class).list().getItems());
        for (HasMetadata object : ours) {
            admin.resource(object).delete();
            try {
                admin.resource(object).patch(PatchContext.of(PatchType.JSON_MERGE), NO_FINALIZERS);
            } catch (KubernetesClientException e) {
                if (e.getCode() != 404) {
                    throw e;
                }
            }
        }
    }

    private void prepare() {
        admin.resource(new NamespaceBuilder()
                        .withNewMetadata()
                        .withName(GabionApi.NAMESPACE)
                        .endMetadata()
                        .build())
                .serverSideApply();
        List<Subject> components = new ArrayList<>();
        for (String account : List.of("gabion-data-plane", "gabion-agent", "gabion-csi-node")) {
            components.add(new Subject(
                    "rbac.authorization.k8s.io",
                    "User",
                    "system:serviceaccount:" + GabionApi.NAMESPACE + ":" + account,
                    null));
        }
        admin.resource(new ClusterRoleBindingBuilder()
                        .withNewMetadata()
                        .withName("components-of-the-test")
                        .endMetadata()
                        .withNewRoleRef("rbac.authorization.k8s.io", "ClusterRole", "cluster-admin")
                        .withSubjects(components)
                        .build())
                .serverSideApply();
        MACHINES.forEach(this::machine);
    }

    void machine(String name) {
        Node machine = Objects.machine(name);
        Node made = admin.resource(machine).create();
        made.setStatus(machine.getStatus());
        admin.resource(made).updateStatus();
    }

    // ---- operators
    Running operator(FailPoint failPoint, boolean election) throws IOException {
        int number = count.incrementAndGet();
        KubernetesClient client = new KubernetesClientBuilder()
                .withConfig(admin.getConfiguration())
                .build();
        Operator operator = new Operator(
                new OperatorOptions(
                        GabionApi.NAMESPACE,
                        "operator-" + number,
                        election,
                        InetAddress.getLoopbackAddress(),
                        0,
                        directory.resolve("operator-" + number),
                        failPoint),
                client,
                () -> {});
        Running started = new Running(operator, client);
        running.add(started);
        operator.start();
        return started;
    }

    void stop(Running started) {
        running.remove(started);
        started.close();
    }

    // ---- what users do
    void pool(String replacementDelay) {
        StoragePool pool = Objects.pool();
        pool.getSpec().setReplicaReplacementDelay(replacementDelay);
        admin.resource(pool).create();
    }

    /** Operator, pool and storage nodes. */
    void begin(String... storageNodes) throws IOException {
        pool("5s");
        for (String node : storageNodes) {
            nodes.start(node);
        }
        for (String node : storageNodes) {
            Await.until(
                    "StorageNode " + node + " is Ready",
                    SOON,
                    () -> "True"
                            .equals(condition(storageNode(node).getStatus().getConditions(), "Ready")
                                    .map(Condition::getStatus)
                                    .orElse("")),
                    () -> storageNode(node).getStatus());
        }
    }

    StorageNode storageNode(String name) {
        return Optional.ofNullable(
                        admin.resources(StorageNode.class).withName(name).get())
                .orElseThrow(() -> new AssertionError("no StorageNode " + name));
    }

    Volume create(String name, int replicas) {
        return admin.resource(Objects.volume(name, replicas)).create();
    }

    void editSpec(String name, String json) {
        admin.resources(Volume.class)
                .withName(name)
                .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":" + json + "}");
    }

    // ---- what is seen
    Optional<Volume> volume(String name) {
        return Optional.ofNullable(admin.resources(Volume.class).withName(name).get());
    }

    VolumeRecord record(String name) {
        return volume(name).flatMap(VolumeRecords::record).orElseThrow();
    }

    Set<String> copies(String name) {
        return volume(name).orElseThrow().getStatus().getPlacement().stream()
                .map(ReplicaOnNode::getNode)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    Set<String> labels(String name) {
        return volume(name).orElseThrow().getMetadata().getLabels().keySet().stream()
                .filter(l -> l.startsWith(GabionApi.REPLICA_LABEL_PREFIX))
                .map(l -> l.substring(GabionApi.REPLICA_LABEL_PREFIX.length()))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    static Optional<Condition> condition(List<Condition> conditions, String type) {
        return conditions.stream().filter(c -> c.getType().equals(type)).findFirst();
    }

    boolean says(String volume, String type, String status) {
        return volume(volume)
                .flatMap(v -> condition(v.getStatus().getConditions(), type))
                .filter(c -> c.getStatus().equals(status))
                .isPresent();
    }

    /** Waits until the volume has its copies and nothing is on its way. */
    void settled(String name, int copies) {
        settled(name, copies, SOON);
    }

    void settled(String name, int copies, Duration limit) {
        Await.until(
                name + " has " + copies + " copies and rests",
                limit,
                () -> volume(name)
                                .filter(v -> (copies + "/" + copies)
                                                .equals(v.getStatus().getCopies())
                                        && v.getStatus().getPlacement().size() == copies
                                        && v.getStatus().getRemoved().isEmpty())
                                .isPresent()
                        && says(name, "Redundant", "True")
                        && says(name, "Reconciling", "False")
                        && labels(name).equals(copies(name)),
                () -> volume(name).map(v -> admin.getKubernetesSerialization().asYaml(v)));
    }

    @Override
    public void close() {
        List.copyOf(running).forEach(this::stop);
        nodes.close();
    }
}
