package io.gabion.operator;

import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.operator.failpoint.FailPoint;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    private static final String USAGE = """
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

    /** A mistake of whoever started this process; the message names the option and the remedy. */
    static final class UsageException extends Exception {
        private static final long serialVersionUID = 1;

        UsageException(String message) {
            super(message);
        }
    }

    static OperatorOptions parse(List<String> arguments, Map<String, String> environment) throws UsageException {
        Map<String, String> given = new HashMap<>();
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            int equals = argument.indexOf('=');
            String name = equals < 0 ? argument : argument.substring(0, equals);
            if (!VARIABLES.containsKey(name)) {
                throw new UsageException("unknown option " + name + "\n\n" + USAGE);
            }
            if (equals >= 0) {
                given.put(name, argument.substring(equals + 1));
            } else if (i + 1 < arguments.size()) {
                given.put(name, arguments.get(++i));
            } else {
                throw new UsageException(name + " needs a value\n\n" + USAGE);
            }
        }
        VARIABLES.forEach((name, variable) -> {
            String value = environment.get(variable);
            if (value != null && !value.isBlank()) {
                given.putIfAbsent(name, value.strip());
            }
        });
        return of(given, environment);
    }

    private static OperatorOptions of(Map<String, String> given, Map<String, String> environment)
            throws UsageException {
        FailPoint failPoint;
        try {
            failPoint = FailPoint.ofEnvironment(Optional.ofNullable(environment.get(FailPoint.VARIABLE)));
        } catch (IllegalArgumentException e) {
            throw new UsageException(FailPoint.VARIABLE + ": " + e.getMessage());
        }
        return new OperatorOptions(
                given.getOrDefault("--namespace", GabionApi.NAMESPACE),
                given.getOrDefault("--identity", "gabion-operator-" + UUID.randomUUID()),
                truth(given.getOrDefault("--leader-election", "true")),
                address(given.getOrDefault("--http-address", "0.0.0.0")),
                port(given.getOrDefault("--http-port", Integer.toString(DEFAULT_HTTP_PORT))),
                Path.of(given.getOrDefault(
                        "--state-directory", System.getProperty("java.io.tmpdir") + "/gabion-operator")),
                failPoint);
    }

    private static boolean truth(String text) throws UsageException {
        if (!Arrays.asList("true", "false").contains(text)) {
            throw new UsageException("--leader-election must be true or false, not \"" + text + "\"");
        }
        return text.equals("true");
    }

    private static InetAddress address(String text) throws UsageException {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new UsageException("--http-address: \"" + text + "\" is no address of this machine");
        }
    }

    private static int port(String text) throws UsageException {
        try {
            int port = Integer.parseInt(text);
            if (port >= 0 && port <= MAX_PORT) {
                return port;
            }
        } catch (NumberFormatException _) {
            // The same message as for a number out of range.
        }
        throw new UsageException("--http-port must be 0 to " + MAX_PORT + ", not \"" + text + "\"");
    }
}
