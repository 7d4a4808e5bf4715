package io.gabion.operator;

import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.operator.failpoint.FailPoint;
import io.gabion.process.CommandLine;
import io.gabion.process.UsageException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * How this process runs.
 *
 * @param namespace of every component
 * @param identity of this process in leader election
 * @param leaderElection false only where there is one process for sure
 * @param stateDirectory for its own certificate; need not survive
 */
record OperatorOptions(
        String namespace,
        String identity,
        boolean leaderElection,
        InetAddress httpAddress,
        int httpPort,
        Path stateDirectory,
        FailPoint failPoint) {
    static final int DEFAULT_HTTP_PORT = 7432;
    private static final int MAX_PORT = 65535;

    static final String USAGE = """
            usage: gabion-operator [--namespace NAME] [--identity NAME] [--leader-election true|false]
                                   [--http-address ADDRESS] [--http-port PORT] [--state-directory DIRECTORY]

            Each option may be given as a variable instead, in the same order: POD_NAMESPACE (default %s), POD_NAME,
            GABION_LEADER_ELECTION (true), GABION_HTTP_ADDRESS (0.0.0.0), GABION_HTTP_PORT (%d), GABION_STATE_DIRECTORY
            (a new one among the temporary files). The API server is found as kubectl and pods find it.
            """.formatted(GabionApi.NAMESPACE, DEFAULT_HTTP_PORT);

    private static final Map<String, String> VARIABLES = Map.of(
            "--namespace", "POD_NAMESPACE",
            "--identity", "POD_NAME",
            "--leader-election", "GABION_LEADER_ELECTION",
            "--http-address", "GABION_HTTP_ADDRESS",
            "--http-port", "GABION_HTTP_PORT",
            "--state-directory", "GABION_STATE_DIRECTORY");

    static OperatorOptions parse(List<String> words, Map<String, String> environment) throws UsageException {
        CommandLine line = CommandLine.of(VARIABLES.keySet(), Set.of(), words).orElse(VARIABLES, environment);
        FailPoint failPoint;
        try {
            failPoint = FailPoint.ofEnvironment(Optional.ofNullable(environment.get(FailPoint.VARIABLE)));
        } catch (IllegalArgumentException e) {
            throw new UsageException(FailPoint.VARIABLE + ": " + e.getMessage());
        }
        return new OperatorOptions(
                line.optional("--namespace", text -> text).orElse(GabionApi.NAMESPACE),
                line.optional("--identity", text -> text).orElseGet(() -> "gabion-operator-" + UUID.randomUUID()),
                line.optional("--leader-election", CommandLine.either("true", "false"))
                        .orElse(true),
                line.optional("--http-address", OperatorOptions::address).orElse(address("0.0.0.0")),
                line.optional("--http-port", CommandLine.number(0, MAX_PORT)).orElse(DEFAULT_HTTP_PORT),
                line.optional("--state-directory", Path::of)
                        .orElse(Path.of(System.getProperty("java.io.tmpdir") + "/gabion-operator")),
                failPoint);
    }

    private static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("is no address of this machine", e);
        }
    }
}
