package io.gabion.csi.host;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs programs of the host, each bounded in time and output. Whatever may touch a file system or a device runs here and not in
 * this process: a thread that waits for a dead device waits for ever, but a child is left behind and counted. When too many are
 * left behind, no more are started.
 */
public final class HostCommands {
    /** Children that were killed but did not end: the kernel holds them until their device answers or is failed. */
    static final int MAX_STUCK = 256;

    /** Of one command with the same arguments: a device that does not answer must not use up what the others need. */
    static final int MAX_STUCK_ALIKE = 2;

    static final int MAX_OUTPUT_BYTES = 64 * 1024;

    private static final Duration KILL_GRACE = Duration.ofSeconds(1);
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double[] SECONDS = {0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600};
    private static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private final Map<Process, List<String>> stuck = new ConcurrentHashMap<>();
    private final Histogram seconds;
    private final Counter timeouts;

    /** How a command ended. */
    public record Result(int exitCode, String output, String errors) {
        /** The last line it said, for people. */
        public String summary() {
            String text = errors.isBlank() ? output : errors;
            return text.lines()
                    .filter(line -> !line.isBlank())
                    .reduce((_, b) -> b)
                    .orElse("no message")
                    .strip();
        }
    }

    public HostCommands(PrometheusRegistry registry) {
        seconds = Histogram.builder()
                .name("gabion_csi_host_command_seconds")
                .help("Time of host commands.")
                .classicOnly()
                .classicUpperBounds(SECONDS)
                .labelNames("command")
                .register(registry);
        timeouts = Counter.builder()
                .name("gabion_csi_host_command_timeouts")
                .help("Host commands that did not end in time.")
                .labelNames("command")
                .register(registry);
        GaugeWithCallback.builder()
                .name("gabion_csi_host_commands_stuck")
                .help("Host commands that were killed but have not ended.")
                .callback(sink -> sink.call(stuck()))
                .register(registry);
    }

    /** Runs the command to its end; throws {@link HostCommandException} when it cannot be started or is too slow. */
    public Result run(Duration limit, List<String> command) {
        refuseWhenStuck(command);
        String program = command.getFirst();
        long started = System.nanoTime();
        Process process = start(command);
        CompletableFuture<String> output = read(process.getInputStream(), program);
        CompletableFuture<String> errors = read(process.getErrorStream(), program);
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                timeouts.labelValues(program).inc();
                abandon(process, command);
                throw new HostCommandException(
                        String.join(" ", command) + " did not end within " + limit.toSeconds() + " s", null);
            }
            return new Result(process.exitValue(), await(output), await(errors));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            abandon(process, command);
            throw new HostCommandException(program + " was interrupted", e);
        } finally {
            seconds.labelValues(program).observe((System.nanoTime() - started) / NANOS_PER_SECOND);
        }
    }

    /** As {@link #run}; a command that ends with anything but 0 is an error as well. */
    public String runOrFail(Duration limit, List<String> command) {
        Result result = run(limit, command);
        if (result.exitCode() != 0) {
            throw new HostCommandException(
                    String.join(" ", command) + " failed with " + result.exitCode() + ": " + result.summary(), null);
        }
        return result.output();
    }

    /** How many were left behind. */
    public int stuck() {
        stuck.keySet().removeIf(process -> !process.isAlive());
        return stuck.size();
    }

    private void refuseWhenStuck(List<String> command) {
        if (stuck() >= MAX_STUCK) {
            throw new HostCommandException(
                    "more than " + MAX_STUCK + " commands of this node hang; its devices do not answer", null);
        }
        if (stuck.values().stream().filter(command::equals).count() >= MAX_STUCK_ALIKE) {
            throw new HostCommandException(
                    String.join(" ", command) + " hangs already; the device behind it does not answer", null);
        }
    }

    private static Process start(List<String> command) {
        ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(command));
        Map<String, String> environment = builder.environment();
        environment.clear();
        environment.put("PATH", PATH);
        environment.put("LC_ALL", "C");
        try {
            Process process = builder.start();
            process.getOutputStream().close();
            return process;
        } catch (IOException e) {
            throw new HostCommandException(
                    "cannot run " + command.getFirst() + ": " + e.getMessage() + " (is it in the image?)", e);
        }
    }

    /** Ends the command and what it started: a helper of mount would go on alone. */
    private void abandon(Process process, List<String> command) {
        List<ProcessHandle> children = process.descendants().toList();
        process.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
        try {
            if (!process.waitFor(KILL_GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
                stuck.put(process, command);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            stuck.put(process, command);
        }
    }

    /** On a platform thread: a read that never ends must not hold a carrier of virtual threads. */
    private static CompletableFuture<String> read(InputStream stream, String program) {
        CompletableFuture<String> text = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("output-of-" + program).start(() -> {
            try (stream) {
                byte[] bytes = stream.readNBytes(MAX_OUTPUT_BYTES);
                stream.skip(Long.MAX_VALUE);
                text.complete(new String(bytes, StandardCharsets.UTF_8));
            } catch (IOException e) {
                text.complete("");
            }
        });
        return text;
    }

    /** The command has ended; what it wrote is there, unless a child of its own still holds the pipe. */
    private static String await(CompletableFuture<String> text) throws InterruptedException {
        try {
            return text.get(KILL_GRACE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            return "";
        }
    }
}
