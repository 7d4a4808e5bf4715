package io.gabion.faults.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where Gabion is built and how its processes are started: the same command lines as {@code ./dev up}.
 *
 * @param root of the source tree; system property {@code gabion.root}, else the directory above that has {@code dev}
 */
public record Installation(Path root) {
    private static final String STORE = "io.gabion.configstore.ConfigurationStoreServer";
    private static final String NODE = "io.gabion.node.StorageNode";
    private static final String AGENT = "io.gabion.agent.Agent";
    private static final String COMMAND = "io.gabion.cli.Gabion";

    /** Finds it, or throws {@link IllegalStateException} with the command that builds it. */
    public static Installation find() {
        String given = System.getProperty("gabion.root");
        Path root = given == null
                ? above(Path.of("").toAbsolutePath())
                : Path.of(given).toAbsolutePath();
        Installation installation = new Installation(root);
        if (!Files.isDirectory(installation.library())) {
            throw new IllegalStateException(installation.library() + " is missing: run ./dev build first");
        }
        return installation;
    }

    private static Path above(Path start) {
        for (Path path = start; path != null; path = path.getParent()) {
            if (Files.isExecutable(path.resolve("dev"))) {
                return path;
            }
        }
        throw new IllegalStateException("no directory above " + start + " has ./dev; give -Dgabion.root=DIRECTORY");
    }

    private Path archive(String main) {
        return root.resolve("target").resolve(main + ".jsa");
    }

    /** Whether starts of storage nodes are quick already: an archive of their classes is made at their first clean end. */
    boolean hasNodeArchive() throws IOException {
        Path archive = archive(NODE);
        if (!Files.exists(archive)) {
            return false;
        }
        FileTime made = Files.getLastModifiedTime(archive);
        try (Stream<Path> jars = Files.list(library())) {
            for (Path jar : jars.toList()) {
                if (Files.getLastModifiedTime(jar).compareTo(made) > 0) {
                    return false;
                }
            }
        }
        return true;
    }

    Path library() {
        return root.resolve("distribution/target/gabion/lib");
    }

    Path developmentCa() {
        return root.resolve("tools/development-ca");
    }

    List<String> configurationStore(List<String> arguments) {
        return server(STORE, arguments);
    }

    List<String> node(List<String> arguments) {
        return server(NODE, arguments);
    }

    List<String> agent(List<String> arguments) {
        return server(AGENT, arguments);
    }

    private List<String> server(String main, List<String> arguments) {
        return java(
                main,
                List.of(
                        "-XX:+UseSerialGC",
                        "-Xms64m",
                        "-Xmx256m",
                        "-XX:MaxDirectMemorySize=384m",
                        "-XX:+ExitOnOutOfMemoryError"),
                arguments);
    }

    List<String> command(List<String> arguments) {
        return java(COMMAND, List.of("-XX:+UseSerialGC", "-Xmx256m", "-XX:TieredStopAtLevel=1"), arguments);
    }

    private List<String> java(String main, List<String> options, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(List.of(
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+AutoCreateSharedArchive",
                "-XX:SharedArchiveFile=" + archive(main),
                "-Xlog:cds=off",
                "-Xlog:cds+dynamic=off",
                "-cp",
                library() + "/*",
                main));
        command.addAll(arguments);
        return command;
    }
}
