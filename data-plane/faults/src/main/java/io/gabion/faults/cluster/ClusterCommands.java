package io.gabion.faults.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import io.gabion.faults.nbd.NbdAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a test asks of a running cluster with the {@code gabion} command. Each call is a process of its own. */
public final class ClusterCommands {
    private static final Pattern NBD_URI = Pattern.compile("nbd\\+unix:[^\\s\"]*");
    private static final long LIMIT_SECONDS = 120;
    private static final Duration SERVING_LIMIT = Duration.ofSeconds(90);

    private final Installation installation;
    private final Path directory;
    private final IntFunction<Path> contextOf;
    private final Function<String, Path> dataOf;

    /**
     * @param directory for files that come and go
     * @param contextOf the context file for each agent, by its index
     * @param dataOf the data directory of each node
     */
    ClusterCommands(
            Installation installation, Path directory, IntFunction<Path> contextOf, Function<String, Path> dataOf) {
        this.installation = installation;
        this.directory = directory;
        this.contextOf = contextOf;
        this.dataOf = dataOf;
    }

    /** Runs gabion to its end, with the context of this cluster. */
    public CommandResult gabion(String... arguments) throws IOException {
        return gabionWithAgent(0, arguments);
    }

    /** As {@link #gabion}, for commands that speak to another agent than the first. */
    public CommandResult gabionWithAgent(int agent, String... arguments) throws IOException {
        List<String> all =
                new ArrayList<>(List.of("--context", contextOf.apply(agent).toString()));
        all.addAll(List.of(arguments));
        List<String> shown = new ArrayList<>(List.of("gabion"));
        shown.addAll(List.of(arguments));
        return CommandResult.run(installation.command(all), shown, LIMIT_SECONDS);
    }

    /** Creates a volume with a replica on each of three nodes. */
    public void createVolume(String volume, String size, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(
                List.of("volume", "create", volume, "--size", size, "--replicas", "3", "--pool", "default"));
        arguments.addAll(List.of(more));
        gabion(arguments.toArray(String[]::new)).orThrow();
    }

    /** Attaches the volume at the agent and returns where it is served. */
    public NbdAddress attach(String volume) throws IOException {
        return attach(0, volume);
    }

    public NbdAddress attach(int agent, String volume) throws IOException {
        CommandResult result = gabionWithAgent(agent, "volume", "attach", volume, "--node", ClusterFixture.AGENT)
                .orThrow();
        Matcher matcher = NBD_URI.matcher(result.output());
        String last = "";
        while (matcher.find()) {
            last = matcher.group();
        }
        if (last.isEmpty()) {
            throw new IllegalStateException("no NBD URI in: " + result);
        }
        return NbdAddress.parse(last);
    }

    public VolumeView describe(String volume) throws IOException {
        JsonNode json =
                gabion("volume", "describe", volume, "-o", "json").orThrow().json();
        return new VolumeView(json);
    }

    /** Waits until the volume's primary serves with this many members in sync. */
    public void awaitInSync(String volume, int count) {
        StringBuilder last = new StringBuilder();
        Waiting.until(
                volume + " with " + count + " replicas in sync",
                SERVING_LIMIT,
                () -> {
                    last.setLength(0);
                    try {
                        VolumeView view = describe(volume);
                        last.append(view.json());
                        return view.isServing() && view.inSync() >= count;
                    } catch (IOException | IllegalStateException e) {
                        last.append(e);
                        return false;
                    }
                },
                () -> "last seen: " + last);
    }

    /** Reads and compares every block of every replica; throws when they differ. */
    public String verify(String volume) throws IOException {
        return gabion("volume", "verify", volume).orThrow().output();
    }

    /**
     * Reads every block of the volume's replica on a node that is not running.
     *
     * @param volume its id
     * @return SHA-256 of the volume's bytes, in hexadecimal
     */
    public String dump(String node, String volume) throws IOException {
        Path image = directory.resolve("dump-" + node + ".raw");
        try {
            gabion(
                            "store",
                            "dump",
                            "--raw",
                            dataOf.apply(node).toString(),
                            "--volume",
                            volume,
                            "--out",
                            image.toString())
                    .orThrow();
            return Digests.sha256(image);
        } finally {
            Files.deleteIfExists(image);
        }
    }
}
