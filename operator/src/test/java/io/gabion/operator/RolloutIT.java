package io.gabion.operator;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodConditionBuilder;
import io.fabric8.kubernetes.api.model.apps.ControllerRevisionBuilder;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.gabion.api.testing.RealApiServer;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.operator.failpoint.FailPoint;
import io.gabion.operator.real.Await;
import io.gabion.operator.rollout.RolloutControl;
import io.gabion.operator.view.InformerView;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A new template of the data plane reaches the nodes one after the other; the test plays the DaemonSet's controller. */
@Tag("kubernetes")
@Tag("long")
@Timeout(240)
@ExtendWith(RealApiServer.class)
class RolloutIT {
    private static final String NAME = "v1";
    private static final String OLD = "old";
    private static final String NEW = "new";
    private static final String REVISION = "controller-revision-hash";
    private static final List<String> NODES = List.of("m1", "m2", "m3");
    private static final Duration LONG = Duration.ofMinutes(1);

    private final KubernetesClient admin;
    private RealWorld w;

    RolloutIT(KubernetesClient client) {
        this.admin = client;
    }

    @BeforeEach
    void start(@TempDir Path directory) {
        w = new RealWorld(admin, directory);
    }

    @AfterEach
    void stop() {
        w.close();
    }

    @Test
    void nodesAreReplacedOneAtATimeAndNeverWhileAVolumeThereLacksACopy() throws Exception {
        w.operator(FailPoint.NONE, false);
        w.begin("m1", "m2", "m3");
        w.create(NAME, 3);
        w.settled(NAME, 3);
        String firstLeader = w.volume(NAME).orElseThrow().getStatus().getPrimaryNode();
        DaemonSet set = daemonSet();
        revision(set, OLD, 1);
        NODES.forEach(n -> ready(pod(n, OLD)));
        rollout("Complete"::equals);

        pause(true);
        revision(set, NEW, 2);
        rollout("Paused: 3 storage nodes are outdated; spec.paused is true"::equals);
        assertThat(condition("Stalled")).isEqualTo("True Paused");

        w.nodes.freeze("m3");
        Await.until(
                "the volume lacks a copy",
                RealWorld.SOON,
                () -> w.record(NAME).config().inSync().size() == 2,
                () -> w.record(NAME));
        pause(false);
        rollout(r -> r.startsWith("Blocked: ") && r.endsWith("these volumes there lack copies in sync: v1 (2/3)"));
        assertThat(condition("Stalled")).isEqualTo("True UpgradeBlocked");
        w.nodes.thaw("m3");

        List<String> order = new ArrayList<>();
        for (String ignored : NODES) {
            String node = Await.present(
                    "the next node's turn after " + order,
                    LONG,
                    () -> NODES.stream()
                            .filter(n -> find(n).getMetadata().getDeletionTimestamp() != null)
                            .findFirst(),
                    () -> admin.getKubernetesSerialization().asYaml(cluster().getStatus()) + w.record(NAME));
            assertThat(w.record(NAME).config().inSync())
                    .as("copies when %s ends", node)
                    .hasSize(3);
            assertThat(w.record(NAME).primaryNode().orElseThrow().value())
                    .as("the lead was handed over")
                    .isNotEqualTo(node);
            assertThat(NODES.stream().filter(n -> find(n).getMetadata().getDeletionTimestamp() != null))
                    .containsExactly(node);
            order.add(node);
            replace(node, order.size() == NODES.size());
        }
        rollout("Complete"::equals);
        assertThat(order).containsExactlyInAnyOrderElementsOf(NODES);
        assertThat(order.getLast()).as("who leads goes last").isEqualTo(firstLeader);
        assertThat(condition("Stalled")).isEqualTo("False NotStalled");
        w.settled(NAME, 3);
    }

    private void replace(String node, boolean last) throws IOException {
        w.nodes.kill(node);
        admin.resource(find(node)).withGracePeriod(0).delete();
        Pod fresh = pod(node, NEW);
        rollout(r -> last ? r.equals("Complete") : r.startsWith("Waiting for [" + node + "]"));
        w.nodes.start(node);
        ready(fresh);
    }

    private DaemonSet daemonSet() {
        return admin.resource(new DaemonSetBuilder()
                        .withNewMetadata()
                        .withName(RolloutControl.DAEMON_SET)
                        .withNamespace(GabionApi.NAMESPACE)
                        .endMetadata()
                        .withNewSpec()
                        .withNewUpdateStrategy()
                        .withType("OnDelete")
                        .endUpdateStrategy()
                        .withNewSelector()
                        .withMatchLabels(InformerView.DATA_PLANE_LABELS)
                        .endSelector()
                        .withNewTemplate()
                        .withNewMetadata()
                        .withLabels(InformerView.DATA_PLANE_LABELS)
                        .endMetadata()
                        .withNewSpec()
                        .withContainers(new ContainerBuilder()
                                .withName("data-plane")
                                .withImage("none")
                                .build())
                        .endSpec()
                        .endTemplate()
                        .endSpec()
                        .build())
                .create();
    }

    private void revision(DaemonSet set, String hash, long number) {
        admin.resource(new ControllerRevisionBuilder()
                        .withNewMetadata()
                        .withName(RolloutControl.DAEMON_SET + "-" + hash)
                        .withNamespace(GabionApi.NAMESPACE)
                        .withLabels(InformerView.DATA_PLANE_LABELS)
                        .addToLabels(REVISION, hash)
                        .addNewOwnerReference()
                        .withApiVersion("apps/v1")
                        .withKind("DaemonSet")
                        .withName(set.getMetadata().getName())
                        .withUid(set.getMetadata().getUid())
                        .endOwnerReference()
                        .endMetadata()
                        .withData(Map.of("revision", hash))
                        .withRevision(number)
                        .build())
                .create();
    }

    private Pod pod(String node, String hash) {
        return admin.resource(new PodBuilder()
                        .withNewMetadata()
                        .withName("data-plane-" + node)
                        .withNamespace(GabionApi.NAMESPACE)
                        .withLabels(InformerView.DATA_PLANE_LABELS)
                        .addToLabels(REVISION, hash)
                        .endMetadata()
                        .withNewSpec()
                        .withNodeName(node)
                        .withContainers(new ContainerBuilder()
                                .withName("data-plane")
                                .withImage("none")
                                .build())
                        .endSpec()
                        .build())
                .create();
    }

    private void ready(Pod pod) {
        pod.getStatus()
                .setConditions(List.of(new PodConditionBuilder()
                        .withType("Ready")
                        .withStatus("True")
                        .build()));
        admin.resource(pod).updateStatus();
    }

    private Pod find(String node) {
        return admin.pods()
                .inNamespace(GabionApi.NAMESPACE)
                .withName("data-plane-" + node)
                .require();
    }

    private StorageCluster cluster() {
        return admin.resources(StorageCluster.class)
                .withName(StorageCluster.NAME)
                .require();
    }

    private void pause(boolean paused) {
        admin.resource(cluster())
                .patch(
                        PatchContext.of(PatchType.JSON_MERGE),
                        admin.getKubernetesSerialization().asJson(Map.of("spec", Map.of("paused", paused))));
    }

    private void rollout(Predicate<String> says) {
        Await.until(
                "status.rollout",
                LONG,
                () -> says.test(String.valueOf(cluster().getStatus().getRollout())),
                () -> admin.getKubernetesSerialization().asYaml(cluster().getStatus()));
    }

    private String condition(String type) {
        return RealWorld.condition(cluster().getStatus().getConditions(), type)
                .map(c -> c.getStatus() + " " + c.getReason())
                .orElse("");
    }
}
