package io.gabion.process;

import io.prometheus.metrics.core.metrics.Info;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;

/** The meters that every process has. */
public final class ProcessMetrics {
    private ProcessMetrics() {}

    /**
     * Which version of what this is, and the meters of the Java runtime.
     *
     * @param process kind of the process
     * @param name what tells processes of the kind apart
     */
    public static void register(PrometheusRegistry registry, String process, String name) {
        Info.builder()
                .name("gabion_build_info")
                .help("Version and name of this process.")
                .labelNames("version", "process", "name")
                .register(registry)
                .addLabelValues(BuildVersion.text(), process, name);
        JvmMetrics.builder().register(registry);
    }
}
