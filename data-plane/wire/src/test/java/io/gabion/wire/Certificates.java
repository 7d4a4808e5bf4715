package io.gabion.wire;

import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Certificates made by {@code tools/development-ca}. */
final class Certificates {
    private static final Path TOOL = Path.of("..", "..", "tools", "development-ca");

    private Certificates() {}

    static void make(Path directory, ClusterId cluster, String... roleAndName) throws IOException {
        List<String> command = new ArrayList<>(List.of(TOOL.toString(), directory.toString(), cluster.toString()));
        command.addAll(List.of(roleAndName));
        run(command);
    }

    static void run(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new IOException(command + " failed: " + output);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    static TlsIdentity load(Path directory, Role role, String name, TlsEngine.Choice engine) throws IOException {
        return TlsIdentity.inDirectory(directory, role, new NodeName(name), engine);
    }
}
