package io.gabion.agent.nbd;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** Runs other people's programs. */
public final class Clients {
    private static final long TIMEOUT_SECONDS = 120;

    private Clients() {}

    /** What a program said (both streams) and how it ended. */
    public record Result(int exitCode, String output) {}

    /** Skips the test where the program is not installed. */
    public static void requireInstalled(String program) {
        boolean found = List.of(System.getenv("PATH").split(":", -1)).stream()
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
        Assumptions.assumeTrue(found, program + " is not installed");
    }

    /** Runs to the end, at most two minutes. */
    public static Result run(String... command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("client", ".log");
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
            // Some clients (fio) leave files in the directory they run in.
            builder.directory(Path.of(System.getProperty("java.io.tmpdir")).toFile());
            // The system's Python first: it is the one that nbdsh was installed for.
            builder.environment().merge("PATH", "/usr/bin", (path, system) -> system + ":" + path);
            Process process = builder.start();
            if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException(String.join(" ", command) + " did not end: " + Files.readString(output, UTF_8));
            }
            return new Result(process.exitValue(), Files.readString(output, UTF_8));
        } finally {
            Files.deleteIfExists(output);
        }
    }

    /** Runs to the end and fails unless the program succeeded. */
    public static String succeed(String... command) throws IOException, InterruptedException {
        Result result = run(command);
        if (result.exitCode() != 0) {
            throw new AssertionError(
                    String.join(" ", command) + " ended with " + result.exitCode() + ":\n" + result.output());
        }
        return result.output();
    }
}
