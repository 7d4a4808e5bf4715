package io.gabion.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A real Prometheus reads what every pod of every component publishes. */
@Journey
@Tag("metrics")
class MetricsIT {
    private static final Duration SCRAPED = Duration.ofMinutes(2);
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void everyPodIsScraped(Workspace workspace) {
        workspace.cluster().kubectl().apply(manifest(workspace.name()));
        String[] seen = {""};
        Waiting.until(
                "Prometheus scrapes every pod",
                SCRAPED,
                () -> {
                    // Pods may be replaced at any moment: who is there is asked each time.
                    int pods = tell(workspace);
                    seen[0] = ask(workspace, "sum(up)") + " of " + pods;
                    return seen[0].equals(pods + " of " + pods);
                },
                () -> seen[0]);
        System.out.println("[gabion] metrics: pods scraped: " + seen[0]);
        for (Component component : Component.values()) {
            String count = ask(
                    workspace,
                    String.format(Locale.ROOT, "count({job=\"%s\",__name__=~\"gabion_.*\"})", component.label()));
            assertThat(count).as("metrics of %s", component.label()).isNotBlank();
        }
    }

    /** Tells Prometheus where the pods are that live, and returns how many. */
    private static int tell(Workspace workspace) {
        Cluster cluster = workspace.cluster();
        List<String> jobs = new ArrayList<>();
        int pods = 0;
        for (Component component : Component.values()) {
            List<String> targets = new ArrayList<>();
            for (JsonNode pod : cluster.kubectl()
                    .get(
                            "pods",
                            "-n",
                            Cluster.GABION_NAMESPACE,
                            "-l",
                            "app.kubernetes.io/component=" + component.label())
                    .path("items")) {
                if (!pod.path("metadata").has("deletionTimestamp")) {
                    targets.add(
                            "\"" + pod.path("status").path("podIP").asText() + ":" + component.metricsPort() + "\"");
                }
            }
            pods += targets.size();
            jobs.add("{\"targets\": " + targets + ", \"labels\": {\"job\": \"" + component.label() + "\"}}");
        }
        // Replaced at once: Prometheus reads it the moment it changes.
        exec(workspace, "sh", "-c", "echo '" + jobs + "' > /tmp/pods.new && mv /tmp/pods.new /tmp/pods.json");
        return pods;
    }

    private static Kubectl.Result exec(Workspace workspace, String... command) {
        List<String> all = new ArrayList<>(List.of("exec", "-n", workspace.name(), "prometheus", "--"));
        all.addAll(List.of(command));
        return workspace.cluster().kubectl().attempt(all.toArray(String[]::new));
    }

    /** Value of a query with one result, "" if there is none. */
    private static String ask(Workspace workspace, String query) {
        Kubectl.Result result = exec(
                workspace, "curl", "-sS", "--data-urlencode", "query=" + query, "http://127.0.0.1:9090/api/v1/query");
        if (!result.succeeded()) {
            return "";
        }
        try {
            return JSON.readTree(result.output())
                    .path("data")
                    .path("result")
                    .path(0)
                    .path("value")
                    .path(1)
                    .asText();
        } catch (JsonProcessingException e) {
            throw new AssertionError(result.toString(), e);
        }
    }

    private static String manifest(String namespace) {
        return """
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: prometheus, namespace: %1$s}
                data:
                  prometheus.yml: |
                    global: {scrape_interval: 2s, scrape_timeout: 2s}
                    scrape_configs:
                      - job_name: gabion
                        file_sd_configs: [{files: [/tmp/pods.json], refresh_interval: 5s}]
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: prometheus, namespace: %1$s}
                spec:
                  terminationGracePeriodSeconds: 1
                  containers:
                    - name: prometheus
                      image: %2$s
                      imagePullPolicy: IfNotPresent
                      volumeMounts: [{name: config, mountPath: /etc/prometheus-test}]
                  volumes:
                    - name: config
                      configMap: {name: prometheus}
                """.formatted(namespace, Images.of("prometheus"));
    }
}
