package io.gabion.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.e2e.Cluster.ComponentPod;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Pods of Gabion are replaced, as an upgrade does it, while fio writes on two nodes and compares every block. */
@Journey
@Tag("rollouts")
class RolloutsIT {
    private static final Duration COPIES = Duration.ofMinutes(2);
    private static final Duration ROLLED = Duration.ofMinutes(8);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);
    private static final Duration LOAD_BEFORE = Duration.ofSeconds(5);
    private static final int FIO_MEBIBYTES = 32;

    @Test
    void storageNodesRestartOneAtATime(Workspace workspace) {
        Cluster cluster = workspace.cluster();
        int[] mostDown = {0};
        rollUnderLoad(workspace, Component.DATA_PLANE, () -> {
            List<ComponentPod> serving = serving(cluster.pods(Component.DATA_PLANE));
            mostDown[0] = Math.max(mostDown[0], cluster.storageNodes().size() - serving.size());
        });
        assertThat(mostDown[0]).as("storage nodes down at the same time").isLessThanOrEqualTo(1);
        Waiting.untilEqual("the rollout as the operator sees it", ROLLED, "Complete", () -> cluster.kubectl()
                .field(".status.rollout", "storagecluster", "gabion"));
    }

    @Test
    void agentsHandTheirDevicesToTheirSuccessors(Workspace workspace) {
        rollUnderLoad(workspace, Component.AGENT, () -> {});
    }

    private static void rollUnderLoad(Workspace workspace, Component component, Runnable look) {
        Cluster cluster = workspace.cluster();
        Claim first = workspace.claim("first", "gabion-replicated", "1Gi");
        Claim second = workspace.claim("second", "gabion-replicated", "1Gi");
        ToolPod onStorage = ToolPod.start(first, cluster.storageNodes().getFirst());
        ToolPod onConsumer = ToolPod.start(second, cluster.disklessNode());
        FioVerify load = FioVerify.start(onStorage, FIO_MEBIBYTES);
        FioVerify farLoad = FioVerify.start(onConsumer, FIO_MEBIBYTES);
        first.awaitCopies(3, COPIES);
        second.awaitCopies(3, COPIES);
        Waiting.pass(LOAD_BEFORE);

        Set<String> old =
                cluster.pods(component).stream().map(ComponentPod::uid).collect(Collectors.toSet());
        long begun = System.nanoTime();
        restart(cluster, component);
        Waiting.until(
                "every pod of " + component.label() + " is a new one",
                ROLLED,
                () -> {
                    look.run();
                    load.check();
                    farLoad.check();
                    List<ComponentPod> now = cluster.pods(component);
                    return serving(now).size() == old.size() && now.stream().noneMatch(pod -> old.contains(pod.uid()));
                },
                () -> cluster.pods(component) + "\n" + cluster.explain());
        long seconds = Waiting.secondsSince(begun);

        assertThat(load.finish()).isPositive();
        assertThat(farLoad.finish()).isPositive();
        System.out.printf(
                "[gabion] %d pods of %s replaced in %d s; longest pause %d ms on a storage node, %d ms on the other%n",
                old.size(),
                component.label(),
                seconds,
                load.longestPause().toMillis(),
                farLoad.longestPause().toMillis());
        assertThat(load.longestPause()).isBetween(Duration.ofNanos(1), LONGEST_PAUSE);
        assertThat(farLoad.longestPause()).isBetween(Duration.ofNanos(1), LONGEST_PAUSE);
        onStorage.stop();
        onConsumer.stop();
        // What the old pods mounted can be taken down by the new ones, and comes up elsewhere.
        ToolPod.start(first, cluster.disklessNode()).stop();
        ToolPod.start(second, cluster.storageNodes().getLast()).stop();
    }

    /** A change of the template, as any upgrade is one. */
    private static void restart(Cluster cluster, Component component) {
        cluster.kubectl()
                .run("rollout", "restart", "daemonset/gabion-" + component.label(), "-n", Cluster.GABION_NAMESPACE);
    }

    private static List<ComponentPod> serving(List<ComponentPod> pods) {
        return pods.stream().filter(pod -> pod.ready() && !pod.ending()).toList();
    }
}
