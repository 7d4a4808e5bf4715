package io.gabion.e2e;

import java.util.List;
import java.util.stream.Collectors;

/**
 * The host of a node, through a privileged pod: whatever runs there can be found and killed, on any Kubernetes.
 *
 * @param node its name
 */
public record Hosts(Kubectl kubectl, String node) {
    static final String NAME = "hosts";

    static String manifest() {
        return """
                apiVersion: v1
                kind: Namespace
                metadata:
                  name: %1$s
                  labels: {pod-security.kubernetes.io/enforce: privileged}
                ---
                apiVersion: apps/v1
                kind: DaemonSet
                metadata: {name: %2$s, namespace: %1$s}
                spec:
                  selector: {matchLabels: {app: %2$s}}
                  template:
                    metadata: {labels: {app: %2$s}}
                    spec:
                      hostPID: true
                      terminationGracePeriodSeconds: 0
                      tolerations: [{operator: Exists}]
                      containers:
                        - name: host
                          image: %3$s
                          imagePullPolicy: IfNotPresent
                          command: [sleep, infinity]
                          securityContext: {privileged: true}
                """.formatted(Cluster.SHARED_NAMESPACE, NAME, Cluster.TOOLS_IMAGE);
    }

    /** Runs a script as root of the host's processes and returns what it printed. */
    public String run(String script) {
        String pod = kubectl.run(
                "get",
                "pods",
                "-n",
                Cluster.SHARED_NAMESPACE,
                "-l",
                "app=" + NAME,
                "--field-selector",
                "spec.nodeName=" + node,
                "-o",
                "name");
        return kubectl.run("exec", "-n", Cluster.SHARED_NAMESPACE, pod, "--", "sh", "-euc", script);
    }

    /** Process numbers of the Java processes of a container. */
    List<Integer> javaProcesses(String container) {
        String found = run("""
                for process in /proc/[0-9]*; do
                  grep -q -F '%s' $process/cgroup 2>/dev/null || continue
                  tr '\\0' ' ' < $process/cmdline | grep -q '^[^ ]*java ' && echo ${process#/proc/}
                done
                true""".formatted(container));
        return found.lines().map(Integer::valueOf).toList();
    }

    void kill(List<Integer> processes) {
        if (processes.isEmpty()) {
            throw new AssertionError("nothing to kill on " + node);
        }
        // One that ended by itself meanwhile is as dead.
        run("kill -9 " + processes.stream().map(String::valueOf).collect(Collectors.joining(" ")) + " || true");
    }
}
