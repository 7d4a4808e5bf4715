package io.gabion.e2e;

import java.time.Duration;

/** A pod without a volume, from which a test visits what other pods serve. */
public record ClientPod(Kubectl kubectl, String namespace, String name) {
    private static final Duration STARTS = Duration.ofMinutes(2);

    /** Starts it anywhere and waits until it runs. */
    public static ClientPod start(Workspace workspace, String name, String image) {
        ClientPod pod = new ClientPod(workspace.cluster().kubectl(), workspace.name(), name);
        pod.kubectl.apply("""
                apiVersion: v1
                kind: Pod
                metadata: {name: %s, namespace: %s}
                spec:
                  terminationGracePeriodSeconds: 1
                  enableServiceLinks: false
                  containers:
                    - name: client
                      image: %s
                      imagePullPolicy: IfNotPresent
                      command: [sleep, infinity]
                """.formatted(name, pod.namespace, image));
        Waiting.untilEqual(
                name, STARTS, "Running", () -> pod.kubectl.field(".status.phase", "-n", pod.namespace, "pod", name));
        return pod;
    }

    /** Runs a script in it and returns what it printed. */
    public String run(String script) {
        return attempt(script).orThrow().output().strip();
    }

    /** Runs a script in it, successful or not. */
    public Kubectl.Result attempt(String script) {
        return kubectl.attempt("exec", "-n", namespace, name, "--", "sh", "-euc", script);
    }
}
