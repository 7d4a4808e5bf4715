package io.gabion.operator.cluster;

import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequest;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.gabion.api.condition.ConditionType;
import io.gabion.api.health.HealthCode;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.api.v1alpha1.HealthEntry;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.operator.certificate.AuthorityKeeper;
import io.gabion.operator.certificate.OpenRequests;
import io.gabion.operator.certificate.OpenRequests.OpenRequest;
import io.gabion.operator.failpoint.FailPoint;
import io.gabion.operator.failpoint.Step;
import io.gabion.operator.record.StatusPatch;
import io.gabion.operator.rollout.RolloutControl;
import io.gabion.operator.rollout.RolloutStep;
import io.gabion.operator.view.ClusterView;
import io.gabion.operator.view.Finding;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one object that speaks for the whole system: its identity, rollouts, counts and health. */
public final class StorageClusterControl {
    private static final Logger LOG = LoggerFactory.getLogger(StorageClusterControl.class);
    private static final Duration DURING_ROLLOUT = Duration.ofSeconds(3);
    private static final Duration AT_REST = Duration.ofSeconds(15);
    private static final List<String> DAEMON_SETS =
            List.of(RolloutControl.DAEMON_SET, "gabion-agent", "gabion-csi-node");

    /** What this works with. */
    public record Surroundings(
            KubernetesClient client,
            String namespace,
            ClusterView view,
            AuthorityKeeper authority,
            RolloutControl rollout,
            FailPoint failPoint,
            InstantSource clock) {}

    private final Surroundings around;
    private final String version;
    private final Consumer<Map<HealthCode, Integer>> healthSink;

    /** @param healthSink told how many objects each code concerns, at every look */
    public StorageClusterControl(Surroundings around, String version, Consumer<Map<HealthCode, Integer>> healthSink) {
        this.around = around;
        this.version = version;
        this.healthSink = healthSink;
    }

    /** Returns when to look again although nothing changed. */
    public Duration reconcile(StorageCluster cluster) {
        if (!cluster.getMetadata().getName().equals(StorageCluster.NAME)) {
            report(
                    cluster,
                    List.of(Finding.of(
                            ConditionType.READY,
                            false,
                            HealthCode.InvalidSpec,
                            "metadata.name: there is one StorageCluster, and it is called " + StorageCluster.NAME
                                    + "; delete this one")),
                    new HealthList(),
                    "");
            return AT_REST;
        }
        Optional<String> trouble = ensureAuthority(cluster);
        Optional<RolloutStep> step = around.rollout().advance(cluster.getSpec().isPaused());
        HealthList health = HealthList.of(around.view());
        addComponents(health);
        addVersions(health);
        addRequests(health);
        Set<String> unread = cluster.getSpec().getSettings().keySet();
        if (!unread.isEmpty()) {
            health.add(
                    HealthCode.UnknownSetting,
                    "storagecluster/" + StorageCluster.NAME,
                    "spec.settings: nothing reads " + new TreeSet<>(unread) + "; take them away");
        }
        Optional<String> blocked = Optional.empty();
        String rollout = "";
        if (step.isPresent()) {
            rollout = describe(step.get());
            if (step.get() instanceof RolloutStep.Blocked stop) {
                blocked = Optional.of(stop.why());
                if (!stop.paused()) {
                    health.add(HealthCode.UpgradeBlocked, "daemonset/" + RolloutControl.DAEMON_SET, stop.why());
                }
            }
        }
        healthSink.accept(health.counts());
        report(cluster, findings(cluster, health, trouble, step, blocked), health, rollout);
        boolean rolling = step.filter(s -> !(s instanceof RolloutStep.Done)).isPresent();
        return rolling ? DURING_ROLLOUT : AT_REST;
    }

    private Optional<String> ensureAuthority(StorageCluster cluster) {
        try {
            var unused = around.authority().ensure(cluster, around.view().storageNodes());
            return Optional.empty();
        } catch (IllegalStateException e) {
            LOG.error("{}", e.getMessage());
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    private static String describe(RolloutStep step) {
        return switch (step) {
            case RolloutStep.Done() -> "Complete";
            case RolloutStep.Waiting(String what) -> "Waiting " + what;
            case RolloutStep.Blocked(boolean paused, String why) -> (paused ? "Paused: " : "Blocked: ") + why;
            case RolloutStep.HandOver handOver ->
                handOver.pod().node() + " hands " + handOver.volumes().size() + " volumes over";
            case RolloutStep.Restart restart -> restart.pod().node() + " restarts";
        };
    }

    private List<Finding> findings(
            StorageCluster cluster,
            HealthList health,
            Optional<String> trouble,
            Optional<RolloutStep> step,
            Optional<String> blocked) {
        List<Finding> findings = new ArrayList<>();
        Optional<HealthEntry> worst = health.worst().filter(e -> e.getSeverity().equals("Critical"));
        if (trouble.isPresent()) {
            findings.add(Finding.of(ConditionType.READY, false, HealthCode.RecordDamaged, trouble.get()));
        } else if (worst.isPresent()) {
            findings.add(Finding.of(
                    ConditionType.READY,
                    false,
                    HealthCode.valueOf(worst.get().getCode()),
                    String.valueOf(worst.get().getMessage())));
        } else {
            findings.add(Finding.of(ConditionType.READY, true, HealthCode.Ready, health.summary()));
        }
        boolean rolling = step.filter(s -> !(s instanceof RolloutStep.Done)).isPresent();
        findings.add(
                rolling && blocked.isEmpty()
                        ? Finding.of(
                                ConditionType.RECONCILING,
                                true,
                                HealthCode.RolloutInProgress,
                                step.map(StorageClusterControl::describe).orElse(""))
                        : Finding.of(ConditionType.RECONCILING, false, HealthCode.Reconciled, ""));
        HealthCode stop = cluster.getSpec().isPaused() ? HealthCode.Paused : HealthCode.UpgradeBlocked;
        findings.add(
                blocked.isPresent() || cluster.getSpec().isPaused()
                        ? Finding.of(ConditionType.STALLED, true, stop, blocked.orElse(HealthCode.Paused.meaning()))
                        : Finding.of(ConditionType.STALLED, false, HealthCode.NotStalled, ""));
        return findings;
    }

    private void addComponents(HealthList health) {
        for (String name : DAEMON_SETS) {
            DaemonSet set = around.client()
                    .apps()
                    .daemonSets()
                    .inNamespace(around.namespace())
                    .withName(name)
                    .get();
            if (set == null || set.getStatus() == null) {
                continue;
            }
            int wanted = orZero(set.getStatus().getDesiredNumberScheduled());
            int ready = orZero(set.getStatus().getNumberReady());
            if (ready < wanted) {
                health.add(
                        HealthCode.ComponentNotReady, "daemonset/" + name, ready + " of " + wanted + " pods are ready");
            }
            if (wanted > 0 && orZero(set.getStatus().getCurrentNumberScheduled()) == 0) {
                podSecurity(name).ifPresent(m -> health.add(HealthCode.PodSecurityDenied, "daemonset/" + name, m));
            }
        }
    }

    private void addVersions(HealthList health) {
        for (StorageNode node : around.view().storageNodes()) {
            String running = node.getStatus().getSoftwareVersion();
            if (running != null) {
                VersionSkew.between(version, running)
                        .ifPresent(why -> health.add(
                                HealthCode.VersionSkew,
                                "storagenode/" + node.getMetadata().getName(),
                                why));
            }
        }
    }

    private void addRequests(HealthList health) {
        List<CertificateSigningRequest> ours = around.client()
                .certificates()
                .v1()
                .certificateSigningRequests()
                .withField("spec.signerName", GabionApi.SIGNER_NAME)
                .list()
                .getItems();
        for (OpenRequest open :
                OpenRequests.of(ours, around.namespace(), around.clock().instant())) {
            health.add(HealthCode.CertificateExpiring, "certificatesigningrequest/" + open.name(), open.why());
        }
    }

    /** Pods that the namespace's labels forbid show only in Events of their owner. */
    private Optional<String> podSecurity(String daemonSet) {
        return around
                .client()
                .v1()
                .events()
                .inNamespace(around.namespace())
                .withField("reason", "FailedCreate")
                .list()
                .getItems()
                .stream()
                .filter(e -> daemonSet.equals(e.getInvolvedObject().getName())
                        && e.getMessage() != null
                        && e.getMessage().contains("PodSecurity"))
                .findFirst()
                .map(_ -> "the namespace does not allow the pods; run: kubectl label --overwrite namespace "
                        + around.namespace() + " pod-security.kubernetes.io/enforce=privileged");
    }

    private static int orZero(Integer number) {
        return number == null ? 0 : number;
    }

    private void report(StorageCluster cluster, List<Finding> findings, HealthList health, String rollout) {
        ClusterView view = around.view();
        long nodesReady = view.storageNodes().stream()
                .filter(n -> Finding.isTrue(n.getStatus().getConditions(), ConditionType.READY))
                .count();
        long volumesWell = view.volumes().stream()
                .filter(v -> Finding.isTrue(v.getStatus().getConditions(), ConditionType.READY)
                        && Finding.isTrue(v.getStatus().getConditions(), ConditionType.REDUNDANT))
                .count();
        Long generation = cluster.getMetadata().getGeneration();
        StatusPatch patch = new StatusPatch()
                .set("observedGeneration", generation)
                .set("version", version)
                .set("nodes", nodesReady + "/" + view.storageNodes().size())
                .set("volumes", volumesWell + "/" + view.volumes().size())
                .set("healthSummary", health.summary())
                .set("rollout", rollout)
                .set("health", health.entries())
                .set(
                        "conditions",
                        Finding.apply(
                                ConditionType.CLUSTER,
                                cluster.getStatus().getConditions(),
                                findings,
                                generation == null ? 0 : generation,
                                around.clock().instant()));
        if (!patch.isMetBy(cluster.getStatus())) {
            around.failPoint().around(Step.REPORT_CLUSTER, () -> patch.send(around.client(), cluster));
        }
    }
}
