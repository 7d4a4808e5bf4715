package io.gabion.e2e;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A kubectl that listens on this machine and carries what it hears to the cluster, until it is closed.
 *
 * @param port where it listens
 */
record KubectlServer(Process process, int port) implements AutoCloseable {
    private static final Pattern LISTENING =
            Pattern.compile("(?:Forwarding from|Starting to serve on) 127\\.0\\.0\\.1:([0-9]+).*");

    /** A port of a pod of Gabion. */
    static KubectlServer forward(Kubectl kubectl, String pod, String port) throws IOException {
        return start(
                kubectl,
                "port-forward",
                "--address=127.0.0.1",
                "-n",
                Cluster.GABION_NAMESPACE,
                "pod/" + pod,
                ":" + port);
    }

    /** The API server for whom a kubeconfig describes. */
    static KubectlServer proxy(Kubectl kubectl, String kubeconfig) throws IOException {
        return start(kubectl, "--kubeconfig", kubeconfig, "proxy", "--port=0");
    }

    private static KubectlServer start(Kubectl kubectl, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(kubectl.program()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        BufferedReader output = process.inputReader(StandardCharsets.UTF_8);
        String line = output.readLine();
        Matcher listening = LISTENING.matcher(line == null ? "" : line);
        if (!listening.matches()) {
            process.destroy();
            throw new AssertionError(String.join(" ", command) + ": " + line);
        }
        return new KubectlServer(process, Integer.parseInt(listening.group(1)));
    }

    @Override
    public void close() {
        process.destroy();
    }
}
