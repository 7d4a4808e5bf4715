package io.gabion.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * An application as people deploy it: a StatefulSet of one pod with a claim at {@code /data}, and a Service of the same name.
 *
 * @param user number of the user it runs as, who owns the volume
 * @param port where it listens
 */
public record Application(Claim claim, String name, String image, int user, int port, Map<String, String> environment) {
    private static final Duration READY = Duration.ofMinutes(4);
    private static final Duration SEEN = Duration.ofSeconds(30);

    public Application {
        environment = Map.copyOf(environment);
    }

    /** Deploys it on a node and waits until it listens. */
    public void start(String node) {
        kubectl().apply(manifest(node));
        awaitReady(node);
    }

    /** Name of its pod, whichever incarnation. */
    public String pod() {
        return name + "-0";
    }

    /** Runs a script in its pod and returns what it printed. */
    public String run(String script) {
        return kubectl().run("exec", "-n", claim.namespace(), pod(), "--", "sh", "-euc", script);
    }

    /** Everything that this incarnation of the pod has printed. */
    public String log() {
        return kubectl().run("logs", "-n", claim.namespace(), pod());
    }

    public String node() {
        return podField(".spec.nodeName");
    }

    /** How often its container ended on this node. */
    public int restarts() {
        return Integer.parseInt(podField(".status.containerStatuses[0].restartCount"));
    }

    /** Says where the next pod shall run; the present one stays where it is. */
    public void place(String node) {
        kubectl()
                .run(
                        "patch",
                        "statefulset",
                        name,
                        "-n",
                        claim.namespace(),
                        "--type=merge",
                        "-p",
                        "{\"spec\":{\"template\":{\"spec\":{\"nodeSelector\":{\"kubernetes.io/hostname\":\"" + node
                                + "\"}}}}}");
        Waiting.until(
                "the controller has seen the new place of " + name,
                SEEN,
                () -> {
                    JsonNode set = kubectl().get("statefulset", name, "-n", claim.namespace());
                    return set.path("status").path("observedGeneration").asLong()
                            == set.path("metadata").path("generation").asLong();
                },
                () -> kubectl().field(".status", "-n", claim.namespace(), "statefulset", name));
    }

    /** Its processes get no chance to end anything, and Kubernetes does not wait for the pod either. */
    public void kill() {
        String container = podField(".status.containerStatuses[0].containerID").replaceFirst("^.*//", "");
        new Hosts(kubectl(), node()).run("""
                for process in /proc/[0-9]*; do
                  grep -q -F '%s' $process/cgroup 2>/dev/null && kill -9 ${process#/proc/} || true
                done""".formatted(container));
        kubectl().run("delete", "pod", pod(), "-n", claim.namespace(), "--force", "--grace-period=0", "--wait=false");
    }

    /** Waits until its pod listens on a node. */
    public void awaitReady(String node) {
        Waiting.untilEqual(
                name + " ready on " + node,
                READY,
                node + " True",
                () -> node() + " " + podField(".status.conditions[?(@.type==\"Ready\")].status"));
    }

    private Kubectl kubectl() {
        return claim.kubectl();
    }

    private String podField(String jsonPath) {
        return kubectl().field(jsonPath, "-n", claim.namespace(), "pod", pod());
    }

    private String manifest(String node) {
        String variables = environment.entrySet().stream()
                .map(entry -> "{name: " + entry.getKey() + ", value: \"" + entry.getValue() + "\"}")
                .collect(Collectors.joining(", "));
        // The probe runs no command in the pod: one that is killed because it was slow would look to PostgreSQL like a
        // crash of its own.
        // Without OnRootMismatch the kubelet opens every file to the group, which some databases refuse.
        return """
                apiVersion: v1
                kind: Service
                metadata: {name: %1$s, namespace: %2$s}
                spec:
                  selector: {app: %1$s}
                  ports: [{port: %5$d}]
                ---
                apiVersion: apps/v1
                kind: StatefulSet
                metadata: {name: %1$s, namespace: %2$s}
                spec:
                  serviceName: %1$s
                  updateStrategy: {type: OnDelete}
                  selector: {matchLabels: {app: %1$s}}
                  template:
                    metadata: {labels: {app: %1$s}}
                    spec:
                      nodeSelector: {kubernetes.io/hostname: %7$s}
                      enableServiceLinks: false
                      securityContext: {runAsUser: %4$d, runAsGroup: %4$d, fsGroup: %4$d, fsGroupChangePolicy: OnRootMismatch}
                      containers:
                        - name: %1$s
                          image: %3$s
                          imagePullPolicy: IfNotPresent
                          env: [%6$s]
                          readinessProbe: {tcpSocket: {port: %5$d}, periodSeconds: 1}
                          volumeMounts: [{name: data, mountPath: /data}]
                      volumes:
                        - name: data
                          persistentVolumeClaim: {claimName: %8$s}
                """.formatted(name, claim.namespace(), image, user, port, variables, node, claim.name());
    }
}
