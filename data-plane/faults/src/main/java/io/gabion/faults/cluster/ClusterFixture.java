package io.gabion.faults.cluster;

import io.gabion.faults.powerloss.CutReport;
import io.gabion.faults.powerloss.PowerLossFileSystem;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A small cluster of real processes: configuration store, storage nodes n1 ... and one agent, started as {@code ./dev up}
 * starts them, in a directory of its own with certificates of its own.
 *
 * <pre>
 *   target/clusters/NAME-TIME/  tls/  log/  context  configuration-store/  n1/ n2/ n3/   (mount points with power loss)
 *                               n1.disk/ ...                                              (backing of the mounts)
 * </pre>
 *
 * <p>{@link #close} ends every process by its pid, unmounts and removes the directory; unless {@link #passed} was called
 * before, the logs stay and their place is printed. With the system property {@code gabion.keep} all data stays.
 *
 * <p>For one test thread; {@link #kill} and {@link #start} may be called from another one.
 */
public final class ClusterFixture implements AutoCloseable {
    /** The agent's name. */
    public static final String AGENT = "agent-1";

    public static final String CONFIGURATION_STORE = "configuration-store";
    private static final long COMMAND_LIMIT_SECONDS = 120;

    private final Installation installation = Installation.find();
    private final FreePorts ports = new FreePorts();
    private final String cluster = UUID.randomUUID().toString();
    private final ClusterSpec spec;
    private final Path directory;
    private final Path sockets;
    private final int storePort = ports.take();
    private final int storeMetricsPort = ports.take();
    private final Map<String, StorageMachine> machines = new LinkedHashMap<>();
    private final List<AgentProcess> agents = new ArrayList<>();
    private final List<ManagedProcess> strangers = new ArrayList<>();
    private @Nullable ManagedProcess store;
    private final ClusterCommands commands;
    private boolean passed;

    private ClusterFixture(ClusterSpec spec) throws IOException {
        this.spec = spec;
        Path clusters = Path.of("target/clusters").toAbsolutePath();
        Files.createDirectories(clusters);
        this.directory = Files.createTempDirectory(clusters, spec.name() + "-");
        // A socket's path has at most 107 bytes, whatever the place of the source tree.
        this.sockets = Files.createTempDirectory("gabion");
        this.commands = new ClusterCommands(installation, directory, this::context, node -> machine(node).data);
    }

    /** Starts everything and waits until it is ready; the pool "default" exists. */
    public static ClusterFixture start(ClusterSpec spec) throws IOException {
        ClusterFixture fixture = new ClusterFixture(spec);
        try {
            fixture.prepare();
            fixture.startAll();
            fixture.makeRestartsQuick();
            fixture.commands.gabion("pool", "create", "default").orThrow();
            return fixture;
        } catch (IOException | RuntimeException e) {
            fixture.close();
            throw e;
        }
    }

    private void prepare() throws IOException {
        List<String> identities =
                new ArrayList<>(List.of("configuration-store/main", "operator/admin", "agent/" + AGENT));
        for (int i = 1; i <= spec.nodes(); i++) {
            String name = "n" + i;
            Path data = directory.resolve(name);
            PowerLossFileSystem disk = spec.powerLoss().isEmpty()
                    ? null
                    : PowerLossFileSystem.mount(
                            directory.resolve(name + ".disk"),
                            data,
                            spec.powerLoss().get());
            machines.put(name, new StorageMachine(name, data, ports, disk));
            identities.add("node/" + name);
        }
        makeCertificates(directory.resolve("tls"), cluster, identities);
        agents.add(new AgentProcess(installation, directory, sockets, "agent", ports, tls("agent-" + AGENT)));
        writeContext(context(0), agents.getFirst());
    }

    /** Makes an authority in the directory, unless there is one, and certificates: ROLE/NAME each. */
    public void makeCertificates(Path tls, String clusterId, List<String> identities) throws IOException {
        List<String> command =
                new ArrayList<>(List.of(installation.developmentCa().toString(), tls.toString(), clusterId));
        command.addAll(identities);
        CommandResult.run(command, command, COMMAND_LIMIT_SECONDS).orThrow();
    }

    private void writeContext(Path file, AgentProcess agent) throws IOException {
        Path tls = directory.resolve("tls");
        Files.writeString(
                file,
                "configuration-store=127.0.0.1:" + storePort + "\nagent-control=127.0.0.1:" + agent.controlPort
                        + "\ncluster=" + cluster + "\ncertificate=" + tls.resolve("operator-admin.pem") + "\nkey="
                        + tls.resolve("operator-admin.key") + "\nca=" + tls.resolve("ca.pem") + "\n");
    }

    private Path context(int agent) {
        return directory.resolve(agent == 0 ? "context" : "context-" + agent);
    }

    private List<String> tls(String identity) {
        return tls(directory.resolve("tls"), identity, cluster);
    }

    private static List<String> tls(Path tls, String identity, String clusterId) {
        return List.of(
                "--certificate",
                tls.resolve(identity + ".pem").toString(),
                "--key",
                tls.resolve(identity + ".key").toString(),
                "--ca",
                tls.resolve("ca.pem").toString(),
                "--cluster",
                clusterId);
    }

    private void startAll() throws IOException {
        startStore();
        for (String node : nodes()) {
            launch(node);
        }
        agents.getFirst().start();
        nodes().forEach(this::awaitReady);
        agents.getFirst().awaitReady();
    }

    /** Tests with power cuts restart nodes dozens of times and never end one cleanly, which makes the class archive. */
    private void makeRestartsQuick() throws IOException {
        if (spec.powerLoss().isPresent() && !installation.hasNodeArchive()) {
            stop("n1");
            start("n1");
        }
    }

    public Path directory() {
        return directory;
    }

    public String clusterId() {
        return cluster;
    }

    /** Names of the storage nodes. */
    public List<String> nodes() {
        return List.copyOf(machines.keySet());
    }

    /** The file system under a node; only with {@link ClusterSpec#powerLoss}. */
    public PowerLossFileSystem disk(String node) {
        PowerLossFileSystem disk = machine(node).disk;
        if (disk == null) {
            throw new IllegalStateException(node + " is not on a power-loss file system");
        }
        return disk;
    }

    private StorageMachine machine(String node) {
        StorageMachine machine = machines.get(node);
        if (machine == null) {
            throw new IllegalArgumentException("no node " + node + "; there are " + machines.keySet());
        }
        return machine;
    }

    // ---- processes
    /** Starts the configuration store and waits until it is ready. */
    public void startStore() throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                "--data",
                directory.resolve(CONFIGURATION_STORE).toString(),
                "--listen",
                "127.0.0.1:" + storePort,
                "--metrics-listen",
                "127.0.0.1:" + storeMetricsPort));
        arguments.addAll(tls(CONFIGURATION_STORE + "-main"));
        ManagedProcess process = ManagedProcess.start(
                CONFIGURATION_STORE, installation.configurationStore(arguments), log(CONFIGURATION_STORE));
        store = process;
        process.awaitListening(storePort);
    }

    public void killStore() {
        ManagedProcess process = store;
        if (process == null) {
            throw new IllegalStateException("the configuration store was not started");
        }
        process.kill();
    }

    private void launch(String node) throws IOException {
        StorageMachine machine = machine(node);
        machine.process = ManagedProcess.start(node, installation.node(nodeArguments(node)), log(node));
    }

    /** The options a node is started with; for tests that start a process of their own. */
    public List<String> nodeArguments(String node) {
        StorageMachine machine = machine(node);
        List<String> arguments = new ArrayList<>(List.of(
                "--name",
                node,
                "--data",
                machine.data.toString(),
                "--capacity",
                spec.capacity(),
                "--data-listen",
                "127.0.0.1:" + machine.dataPort,
                "--control-listen",
                "127.0.0.1:" + machine.controlPort,
                "--metrics-listen",
                "127.0.0.1:" + machine.metricsPort,
                "--configuration-store",
                "127.0.0.1:" + storePort,
                "--boot-id",
                machine.bootId.toString()));
        arguments.addAll(tls("node-" + node));
        return arguments;
    }

    /** Starts another storage process with these options; the fixture ends it when it is closed. */
    public ManagedProcess launchNode(String logName, List<String> arguments) throws IOException {
        ManagedProcess process = ManagedProcess.start(logName, installation.node(arguments), log(logName));
        strangers.add(process);
        return process;
    }

    private Path log(String name) {
        return directory.resolve("log").resolve(name + ".log");
    }

    private void awaitReady(String node) {
        StorageMachine machine = machine(node);
        machine.running().awaitListening(machine.controlPort);
    }

    /** Starts a node and waits until it is ready. */
    public void start(String node) throws IOException {
        launch(node);
        awaitReady(node);
    }

    /** Starts these nodes at the same time and waits until all are ready. */
    public void startTogether(List<String> names) throws IOException {
        for (String node : names) {
            launch(node);
        }
        names.forEach(this::awaitReady);
    }

    /** kill -9. */
    public void kill(String node) {
        machine(node).running().kill();
    }

    /** kill -9 of all storage processes at the same moment. */
    public void killAllNodes() {
        for (StorageMachine machine : machines.values()) {
            machine.running().sendKill();
        }
        for (StorageMachine machine : machines.values()) {
            machine.running().awaitEnd();
        }
    }

    /** SIGTERM: a planned end. */
    public void stop(String node) {
        machine(node).running().stop();
    }

    /** SIGSTOP. */
    public void suspend(String node) {
        machine(node).running().suspend();
    }

    /** SIGCONT. */
    public void resume(String node) {
        machine(node).running().resume();
    }

    /** The process of a node. */
    public ManagedProcess process(String node) {
        return machine(node).running();
    }

    public boolean isRunning(String node) {
        return machine(node).isRunning();
    }

    public int controlPort(String node) {
        return machine(node).controlPort;
    }

    public int metricsPort(String node) {
        return machine(node).metricsPort;
    }

    /**
     * The power of all storage machines fails at once and comes back: freeze, kill, cut, start with new boot ids.
     *
     * @param seed decides what of the unsynced data survives
     * @return what the cut took, per node
     */
    public List<CutReport> powerCut(long seed) throws IOException {
        List<CutReport> reports = cutWithoutRestart(seed);
        startTogether(nodes());
        return reports;
    }

    /** As {@link #powerCut}, but nothing is started again. */
    public List<CutReport> cutWithoutRestart(long seed) throws IOException {
        for (String node : nodes()) {
            disk(node).freeze();
        }
        for (StorageMachine machine : machines.values()) {
            machine.running().sendKill();
        }
        List<CutReport> reports = new ArrayList<>();
        long nodeSeed = seed;
        for (StorageMachine machine : machines.values()) {
            reports.add(disk(machine.name).cut(nodeSeed++));
            machine.bootId = UUID.randomUUID();
        }
        for (StorageMachine machine : machines.values()) {
            machine.running().awaitEnd();
        }
        return reports;
    }

    /** What a node counts: the text of its metrics endpoint. */
    public String metrics(String node) throws IOException {
        return metrics(machine(node).metricsPort);
    }

    /** What the first agent counts. */
    public String agentMetrics() throws IOException {
        return metrics(agents.getFirst().metricsPort);
    }

    private static String metrics(int port) throws IOException {
        URI uri = URI.create("http://127.0.0.1:" + port + "/metrics");
        try (InputStream input = uri.toURL().openStream()) {
            return new String(input.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Sum of a metric over its labels, 0 when it is not there. */
    public double metric(String node, String name) throws IOException {
        double sum = 0;
        for (String line : metrics(node).lines().toList()) {
            if (line.startsWith(name + " ") || line.startsWith(name + "{")) {
                sum += Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
            }
        }
        return sum;
    }

    /** Starts one more agent with the same name and certificate as the first; returns its index. */
    public int startAnotherAgent() throws IOException {
        AgentProcess agent = new AgentProcess(
                installation, directory, sockets, "agent-" + agents.size(), ports, tls("agent-" + AGENT));
        agents.add(agent);
        writeContext(context(agents.size() - 1), agent);
        agent.start();
        agent.awaitReady();
        return agents.size() - 1;
    }

    /** The process of an agent; 0 is the first. */
    public ManagedProcess agent(int index) {
        return agents.get(index).running();
    }

    /** The gabion command against this cluster. */
    public ClusterCommands commands() {
        return commands;
    }

    // ---- end
    /** The test is content: {@link #close} removes everything. */
    public void passed() {
        passed = true;
    }

    @Override
    public void close() {
        List<Runnable> steps = new ArrayList<>();
        agents.forEach(agent -> steps.add(agent::end));
        strangers.forEach(process -> steps.add(process::sendKill));
        for (StorageMachine machine : machines.values()) {
            // Unmounting ends whoever still hangs in the file system; a suspended process dies of SIGKILL too.
            steps.add(() -> end(machine.process));
            PowerLossFileSystem disk = machine.disk;
            if (disk != null) {
                steps.add(disk::close);
            }
        }
        steps.add(() -> end(store));
        steps.add(() -> Leftovers.remove(sockets));
        steps.add(this::tidy);
        Leftovers.runAll(steps);
    }

    private static void end(@Nullable ManagedProcess process) {
        if (process != null) {
            process.sendKill();
            process.endsWithin(Duration.ofSeconds(5));
        }
    }

    private void tidy() {
        boolean keep = System.getProperty("gabion.keep") != null;
        if (!passed) {
            System.out.println("[gabion] logs of the failed run: " + directory.resolve("log"));
        }
        if (!keep) {
            for (StorageMachine machine : machines.values()) {
                Leftovers.remove(machine.data);
                Leftovers.remove(directory.resolve(machine.name + ".disk"));
            }
        }
        if (passed && !keep) {
            Leftovers.remove(directory);
        }
    }
}
