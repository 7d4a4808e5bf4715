package io.gabion.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.Locale;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A real Prometheus reads what every pod of every component publishes. */
@Journey
@Tag("metrics")
class MetricsIT {
    private static final String IMAGE = System.getProperty("gabion.prometheus.image", "gabion.local/test-prometheus:1");
    private static final Duration SCRAPED = Duration.ofMinutes(1);
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void everyPodIsScraped(Workspace workspace) {
        Cluster cluster = workspace.cluster();
        Kubectl kubectl = cluster.kubectl();
        StringBuilder jobs = new StringBuilder();
        int pods = 0;
        for (Component component : Component.values()) {
            jobs.append("      - job_name: ")
                    .append(component.label())
                    .append("\n        static_configs: [{targets: [");
            for (JsonNode pod : kubectl.get(
                            "pods",
                            "-n",
                            Cluster.GABION_NAMESPACE,
                            "-l",
                            "app.kubernetes.io/component=" + component.label())
                    .path("items")) {
                jobs.append('"')
                        .append(pod.path("status").path("podIP").asText())
                        .append(':')
                        .append(component.metricsPort())
                        .append("\", ");
                pods++;
            }
            jobs.append("]}]\n");
        }
        kubectl.apply(manifest(workspace.name(), jobs.toString()));
        String wanted = Integer.toString(pods);
        Waiting.untilEqual(
                "pods that Prometheus could scrape", SCRAPED, wanted, () -> ask(workspace, "sum(up) or vector(0)"));
        for (Component component : Component.values()) {
            String count = ask(
                    workspace,
                    String.format(Locale.ROOT, "count({job=\"%s\",__name__=~\"gabion_.*\"})", component.label()));
            assertThat(count).as("metrics of %s", component.label()).isNotBlank();
        }
    }

    /** Value of a query with one result, "" if there is none. */
    private static String ask(Workspace workspace, String query) {
        Kubectl.Result result = workspace
                .cluster()
                .kubectl()
                .attempt(
                        "exec",
                        "-n",
                        workspace.name(),
                        "prometheus",
                        "--",
                        "curl",
                        "-sS",
                        "--data-urlencode",
                        "query=" + query,
                        "http://127.0.0.1:9090/api/v1/query");
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

    private static String manifest(String namespace, String jobs) {
        return """
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: prometheus, namespace: %1$s}
                data:
                  prometheus.yml: |
                    global: {scrape_interval: 2s, scrape_timeout: 2s}
                    scrape_configs:
                %2$s
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: prometheus, namespace: %1$s}
                spec:
                  terminationGracePeriodSeconds: 1
                  containers:
                    - name: prometheus
                      image: %3$s
                      imagePullPolicy: IfNotPresent
                      volumeMounts: [{name: config, mountPath: /etc/prometheus-test}]
                  volumes:
                    - name: config
                      configMap: {name: prometheus}
                """.formatted(namespace, jobs, IMAGE);
    }
}
