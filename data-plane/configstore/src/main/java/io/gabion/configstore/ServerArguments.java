package io.gabion.configstore;

import io.gabion.model.ClusterId;
import io.gabion.process.CommandLine;
import io.gabion.process.UsageException;
import io.gabion.protocol.control.HostPort;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

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
              --metrics-listen  address of the Prometheus endpoint (loopback only)""";

    private static final List<String> OPTIONS =
            List.of("--data", "--listen", "--cluster", "--certificate", "--key", "--ca", "--metrics-listen");

    static ServerArguments parse(List<String> words) throws UsageException {
        CommandLine line = CommandLine.of(OPTIONS, Set.of(), words);
        return new ServerArguments(
                line.required("--data", Path::of),
                line.required("--listen", HostPort::parse),
                line.required("--cluster", ClusterId::of),
                line.required("--certificate", Path::of),
                line.required("--key", Path::of),
                line.required("--ca", Path::of),
                line.optional("--metrics-listen", HostPort::parse));
    }
}
