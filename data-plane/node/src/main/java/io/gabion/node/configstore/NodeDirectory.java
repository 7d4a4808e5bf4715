package io.gabion.node.configstore;

import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the nodes of the cluster can be reached. Announces this node, asks for the others again and again, and keeps the last
 * answer in a file, so that a restart without the configuration store still finds its peers.
 *
 * <pre>
 * file "peers", one node a line, fields separated by tabs:
 * NAME  HOST  DATA_PORT  CONTROL_PORT  METRICS_PORT  SOFTWARE_VERSION  VERSION
 * </pre>
 */
public final class NodeDirectory {
    private static final Logger LOG = LoggerFactory.getLogger(NodeDirectory.class);
    static final long REFRESH_MILLIS = 2_000;
    /** Nodes of a cluster are often started together: the first rounds come faster, so that they find each other at once. */
    static final long FIRST_REFRESH_MILLIS = 200;

    private static final int FIRST_ROUNDS = 25;
    /** While the store is away or this node is not announced yet. */
    static final long RETRY_MILLIS = 500;
    /** Bounds the file that is read back; far above any cluster. */
    private static final int MAX_NODES = 10_000;

    private static final int FIELDS = 7;

    private final ConfigurationStore client;
    private final NodeRecord self;
    private final Path file;
    private final ScheduledExecutorService timer;
    private final Consumer<List<NodeRecord>> listener;
    private volatile List<NodeRecord> known = List.of();
    private volatile boolean announced;
    private volatile int rounds;

    /** {@code listener} gets the other nodes whenever they changed, on the timer's or the channel's thread. */
    public NodeDirectory(
            ConfigurationStore client,
            NodeRecord self,
            Path dataDirectory,
            ScheduledExecutorService timer,
            Consumer<List<NodeRecord>> listener) {
        this.client = client;
        this.self = self;
        this.file = dataDirectory.resolve("peers");
        this.timer = timer;
        this.listener = listener;
    }

    /** Reads the file, tells the listener, and goes on refreshing until the timer is shut down. */
    public void start() {
        List<NodeRecord> cached = readFile();
        if (!cached.isEmpty()) {
            known = cached;
            listener.accept(cached);
        }
        client.whenNodesChange(() -> client.listNodes(this::compare, reason -> {}));
        refresh();
    }

    /** The other nodes as last heard. */
    public List<NodeRecord> known() {
        return known;
    }

    private void refresh() {
        if (!announced) {
            client.putNode(
                    self,
                    () -> {
                        announced = true;
                        refresh();
                    },
                    reason -> again(RETRY_MILLIS));
            return;
        }
        client.listNodes(this::heard, reason -> again(RETRY_MILLIS));
    }

    private void heard(List<NodeRecord> nodes) {
        // Somebody may have restored an old copy of the configuration store: say again where this node is.
        announced = nodes.stream().anyMatch(n -> n.name().equals(self.name()) && isSameAddress(n));
        compare(nodes);
        int round = rounds;
        rounds = round + 1;
        again(round < FIRST_ROUNDS ? FIRST_REFRESH_MILLIS : REFRESH_MILLIS);
    }

    private synchronized void compare(List<NodeRecord> nodes) {
        List<NodeRecord> others =
                nodes.stream().filter(n -> !n.name().equals(self.name())).toList();
        if (!others.equals(known)) {
            known = others;
            writeFile(others);
            listener.accept(others);
        }
    }

    private boolean isSameAddress(NodeRecord stored) {
        return stored.host().equals(self.host())
                && stored.dataPort() == self.dataPort()
                && stored.controlPort() == self.controlPort();
    }

    private void again(long millis) {
        long jitter = ThreadLocalRandom.current().nextLong(millis / 4 + 1);
        try {
            var unused = timer.schedule(this::refresh, millis + jitter, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("the directory ends with the process");
        }
    }

    private List<NodeRecord> readFile() {
        List<NodeRecord> nodes = new ArrayList<>();
        if (!Files.exists(file)) {
            return nodes;
        }
        try (var lines = Files.lines(file, StandardCharsets.UTF_8)) {
            lines.limit(MAX_NODES).forEach(line -> nodes.add(parse(line)));
        } catch (IOException | IllegalArgumentException | java.io.UncheckedIOException e) {
            LOG.warn("cached addresses in {} are not used: {}", file, e.getMessage());
            return List.of();
        }
        return nodes;
    }

    private static NodeRecord parse(String line) {
        String[] fields = line.split("\t", -1);
        if (fields.length != FIELDS) {
            throw new IllegalArgumentException("a line has " + fields.length + " fields instead of " + FIELDS);
        }
        return new NodeRecord(
                new NodeName(fields[0]),
                fields[1],
                Integer.parseInt(fields[2]),
                Integer.parseInt(fields[3]),
                Integer.parseInt(fields[4]),
                fields[5],
                Long.parseLong(fields[6]));
    }

    private void writeFile(List<NodeRecord> nodes) {
        StringBuilder text = new StringBuilder();
        for (NodeRecord n : nodes) {
            text.append(String.join(
                            "\t",
                            n.name().value(),
                            n.host(),
                            Integer.toString(n.dataPort()),
                            Integer.toString(n.controlPort()),
                            Integer.toString(n.metricsPort()),
                            n.softwareVersion(),
                            Long.toString(n.version())))
                    .append('\n');
        }
        Path fresh = file.resolveSibling("peers.new");
        try {
            Files.writeString(fresh, text);
            try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            LOG.warn("addresses of the other nodes are not kept in {}: {}", file, e.getMessage());
        }
    }
}
