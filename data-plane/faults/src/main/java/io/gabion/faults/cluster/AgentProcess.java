package io.gabion.faults.cluster;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An agent with a socket directory and ports of its own. */
final class AgentProcess {
    final int controlPort;
    final int metricsPort;
    private final Installation installation;
    private final Path sockets;
    private final Path log;
    private final String label;
    private final List<String> tls;
    private @Nullable ManagedProcess process;

    AgentProcess(
            Installation installation, Path directory, Path sockets, String label, FreePorts ports, List<String> tls) {
        this.installation = installation;
        this.sockets = sockets.resolve(label);
        this.log = directory.resolve("log").resolve(label + ".log");
        this.label = label;
        this.controlPort = ports.take();
        this.metricsPort = ports.take();
        this.tls = tls;
    }

    void start() throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                "--name",
                ClusterFixture.AGENT,
                "--socket-directory",
                sockets.toString(),
                "--control-listen",
                "127.0.0.1:" + controlPort,
                "--metrics-listen",
                "127.0.0.1:" + metricsPort));
        arguments.addAll(tls);
        process = ManagedProcess.start(label, installation.agent(arguments), log);
    }

    void awaitReady() {
        running().awaitListening(controlPort);
    }

    ManagedProcess running() {
        ManagedProcess current = process;
        if (current == null) {
            throw new IllegalStateException(label + " was not started");
        }
        return current;
    }

    void end() {
        if (process != null) {
            process.sendKill();
        }
    }
}
