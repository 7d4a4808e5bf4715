package io.gabion.faults.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What a command that ended has said.
 *
 * @param command the arguments, for messages
 */
public record CommandResult(List<String> command, int exitCode, String output, String errors) {
    private static final ObjectMapper JSON = new ObjectMapper();

    public CommandResult {
        command = List.copyOf(command);
    }

    /** Runs a command to its end; throws {@link IllegalStateException} when it takes longer than the limit. */
    static CommandResult run(List<String> command, List<String> shown, long limitSeconds) throws IOException {
        Path output = Files.createTempFile("gabion-command", ".out");
        Path errors = Files.createTempFile("gabion-command", ".err");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectOutput(output.toFile())
                    .redirectError(errors.toFile())
                    .start();
            boolean ended = process.waitFor(limitSeconds, TimeUnit.SECONDS);
            if (!ended) {
                process.destroyForcibly().waitFor();
            }
            CommandResult result = new CommandResult(
                    shown, ended ? process.exitValue() : -1, Files.readString(output), Files.readString(errors));
            if (!ended) {
                throw new IllegalStateException("still running after " + limitSeconds + " s: " + result);
            }
            return result;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } finally {
            Files.deleteIfExists(output);
            Files.deleteIfExists(errors);
        }
    }

    public boolean succeeded() {
        return exitCode == 0;
    }

    /** This, when the command succeeded; else throws with all it said. */
    public CommandResult orThrow() {
        if (!succeeded()) {
            throw new IllegalStateException("command failed: " + this);
        }
        return this;
    }

    /** Both outputs. */
    public String text() {
        return output + errors;
    }

    public JsonNode json() {
        try {
            return JSON.readTree(output);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("not JSON: " + this, e);
        }
    }

    @Override
    public String toString() {
        return String.join(" ", command) + " -> exit " + exitCode + "\n" + output + errors;
    }
}
