package io.gabion.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.gabion.configstore.ConfigurationStoreServer;
import io.gabion.model.ClusterId;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlServers;
import io.gabion.protocol.control.TestCertificates;
import io.grpc.Server;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A real configuration store, with nodes and an agent that only pretend, for the command to be run against. */
abstract class CommandFixture {
    @TempDir
    Path directory;

    final List<FakeNode> nodes = new ArrayList<>();
    final FakeAgent agent = new FakeAgent();
    TestCertificates certificates;
    ConfigurationStoreServer store;
    private Server agentServer;

    record Outcome(int exit, String out, String err) {}

    @BeforeEach
    void start() throws IOException {
        certificates = TestCertificates.create(directory.resolve("tls"), new ClusterId(UUID.randomUUID()));
        store = ConfigurationStoreServer.start(
                directory.resolve("data"),
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                Optional.empty(),
                certificates.issue(ControlRole.CONFIGURATION_STORE, "main"),
                () -> {});
        for (String name : List.of("n1", "n2", "n3")) {
            nodes.add(new FakeNode(name, certificates.issue(ControlRole.NODE, name), store.port()));
        }
        Path socket = directory.resolve("agent.sock");
        agentServer =
                ControlServers.startOnUnixSocket(socket, Executors.newVirtualThreadPerTaskExecutor(), List.of(agent));
        certificates.issue(ControlRole.OPERATOR, "admin");
        Files.writeString(directory.resolve("context"), """
                configuration-store=127.0.0.1:%d
                cluster=%s
                certificate=tls/admin.crt
                key=tls/admin.key
                ca=tls/ca.crt
                agent-control=./agent.sock
                """.formatted(store.port(), certificates.cluster()));
    }

    @AfterEach
    void stop() {
        nodes.forEach(FakeNode::close);
        agentServer.shutdownNow();
        store.close();
    }

    void create() {
        if (json("pool", "list").isEmpty()) {
            ok("pool", "create", "default");
        }
        ok("volume", "create", "data", "--size", "1MiB", "--replicas", "3");
    }

    Outcome runWith(Path context, String... arguments) {
        List<String> all = new ArrayList<>(List.of("--context", context.toString()));
        all.addAll(List.of(arguments));
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exit = Gabion.run(new PrintWriter(out, true), new PrintWriter(err, true), all.toArray(String[]::new));
        return new Outcome(exit, out.toString(), err.toString());
    }

    Outcome run(String... arguments) {
        return runWith(directory.resolve("context"), arguments);
    }

    Outcome ok(String... arguments) {
        Outcome outcome = run(arguments);
        assertThat(outcome.exit()).as("%s", outcome).isZero();
        return outcome;
    }

    String fails(String... arguments) {
        Outcome outcome = run(arguments);
        assertThat(outcome.exit()).as("%s", outcome).isEqualTo(1);
        assertThat(outcome.err().lines()).as("one line: %s", outcome.err()).hasSize(1);
        return outcome.err();
    }

    String usage(String... arguments) {
        Outcome outcome = run(arguments);
        assertThat(outcome.exit()).as("%s", outcome).isEqualTo(2);
        return outcome.err();
    }

    JsonNode json(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("-o", "json"));
        Outcome outcome = ok(all.toArray(String[]::new));
        try {
            return new ObjectMapper().readTree(outcome.out());
        } catch (IOException e) {
            throw new AssertionError(outcome.toString(), e);
        }
    }
}
