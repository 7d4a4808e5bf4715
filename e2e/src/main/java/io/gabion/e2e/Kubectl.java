package io.gabion.e2e;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The command that users have. A failure shows what was called and what it said, so that it can be repeated by hand.
 *
 * @param program path or name
 * @param environment what it gets besides the variables of this process
 */
public record Kubectl(String program, Map<String, String> environment) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration LIMIT = Duration.ofMinutes(2);

    /** What a call that ended has said. */
    public record Result(String command, int exitCode, String output, String errors) {
        public boolean succeeded() {
            return exitCode == 0;
        }

        Result orThrow() {
            if (!succeeded()) {
                throw new AssertionError(this);
            }
            return this;
        }

        @Override
        public String toString() {
            return command + " -> exit " + exitCode + "\n" + output + errors;
        }
    }

    /** With the variables of this process, {@code KUBECONFIG} among them. */
    public Kubectl(String program) {
        this(program, Map.of());
    }

    /** Runs to success and returns what was printed, without white space around it. */
    public String run(String... arguments) {
        return attempt("", LIMIT, arguments).orThrow().output().strip();
    }

    /** Runs to its end, successful or not. */
    public Result attempt(String... arguments) {
        return attempt("", LIMIT, arguments);
    }

    public void apply(String manifest) {
        attempt(manifest, LIMIT, "apply", "-f", "-").orThrow();
    }

    /** {@code kubectl get … -o json}. */
    public JsonNode get(String... arguments) {
        List<String> all = new ArrayList<>(List.of("get", "-o", "json"));
        all.addAll(List.of(arguments));
        String output = run(all.toArray(String[]::new));
        try {
            return JSON.readTree(output);
        } catch (JsonProcessingException e) {
            throw new AssertionError("kubectl printed no JSON: " + output, e);
        }
    }

    /** One field of one object, "" if it or the object is not there. */
    public String field(String jsonPath, String... object) {
        List<String> all = new ArrayList<>(List.of("get", "--ignore-not-found", "-o", "jsonpath={" + jsonPath + "}"));
        all.addAll(List.of(object));
        return run(all.toArray(String[]::new));
    }

    private Result attempt(String input, Duration limit, String... arguments) {
        List<String> command = new ArrayList<>(List.of(program));
        command.addAll(List.of(arguments));
        try {
            return run(command, input, limit);
        } catch (IOException e) {
            throw new UncheckedIOException(String.join(" ", command), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted: " + String.join(" ", command), e);
        }
    }

    private Result run(List<String> command, String input, Duration limit) throws IOException, InterruptedException {
        Path output = Files.createTempFile("kubectl", ".out");
        Path errors = Files.createTempFile("kubectl", ".err");
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectOutput(output.toFile()).redirectError(errors.toFile());
            builder.environment().putAll(environment);
            Process process = builder.start();
            try (var standardInput = process.getOutputStream()) {
                standardInput.write(input.getBytes(StandardCharsets.UTF_8));
            }
            boolean ended = process.waitFor(limit.toSeconds(), TimeUnit.SECONDS);
            if (!ended) {
                process.destroyForcibly().waitFor();
            }
            return new Result(
                    String.join(" ", command) + (ended ? "" : " (killed after " + limit.toSeconds() + " s)"),
                    process.exitValue(),
                    Files.readString(output),
                    Files.readString(errors));
        } finally {
            Files.deleteIfExists(output);
            Files.deleteIfExists(errors);
        }
    }
}
