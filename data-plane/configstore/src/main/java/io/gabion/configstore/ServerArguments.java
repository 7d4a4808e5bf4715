package io.gabion.configstore;

import io.gabion.model.ClusterId;
import io.gabion.protocol.control.HostPort;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The command line of the configuration store. */
record ServerArguments(
        Path data,
        HostPort listen,
        ClusterId cluster,
        Path certificate,
        Path key,
        Path ca,
        Optional<HostPort> metricsListen) {
    static final String USAGE = """
            usage: gabion-configuration-store --data DIR --listen HOST:PORT --cluster UUID
                       --certificate FILE --key FILE --ca FILE [--metrics-listen HOST:PORT]
              --data            directory of the log; created when it does not exist
              --listen          address of the control interface (mutual TLS); port 0 chooses one
              --cluster         id of the cluster this store belongs to
              --certificate     PEM certificate of this process, spiffe://CLUSTER/configuration-store/NAME
              --key             its PEM key, PKCS#8
              --ca              PEM certificates of the cluster's CA
              --metrics-listen  address of the Prometheus endpoint (loopback only)
            """;

    private static final List<String> OPTIONS =
            List.of("--data", "--listen", "--cluster", "--certificate", "--key", "--ca", "--metrics-listen");

    /** Throws {@link IllegalArgumentException} that names the option. */
    static ServerArguments parse(String[] arguments) {
        Map<String, String> values = new HashMap<>();
        for (int i = 0; i < arguments.length; i++) {
            int equals = arguments[i].indexOf('=');
            String option = equals < 0 ? arguments[i] : arguments[i].substring(0, equals);
            if (!OPTIONS.contains(option)) {
                throw new IllegalArgumentException(
                        "unknown option " + option + ", nearest: " + Nearest.to(option, OPTIONS));
            }
            if (equals < 0 && i + 1 == arguments.length) {
                throw new IllegalArgumentException("option " + option + " needs a value");
            }
            String value = equals < 0 ? arguments[++i] : arguments[i].substring(equals + 1);
            if (values.put(option, value) != null) {
                throw new IllegalArgumentException("option " + option + " is given twice");
            }
        }
        return new ServerArguments(
                Path.of(required(values, "--data")),
                address("--listen", required(values, "--listen")),
                cluster(required(values, "--cluster")),
                Path.of(required(values, "--certificate")),
                Path.of(required(values, "--key")),
                Path.of(required(values, "--ca")),
                Optional.ofNullable(values.get("--metrics-listen")).map(text -> address("--metrics-listen", text)));
    }

    private static String required(Map<String, String> values, String option) {
        String value = values.get(option);
        if (value == null || value.isBlank()) {
            throw new IllegalArgumentException("option " + option + " is missing");
        }
        return value;
    }

    private static HostPort address(String option, String text) {
        try {
            return HostPort.parse(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("option " + option + ": " + e.getMessage(), e);
        }
    }

    private static ClusterId cluster(String text) {
        try {
            return ClusterId.of(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("option --cluster: \"" + text + "\" is not a UUID", e);
        }
    }
}
