package io.gabion.cli;

import io.gabion.cli.text.CommandFailure;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "dump", description = "Writes every block of one replica of a stopped node, in order, holes as zeros.")
final class StoreDumping implements Callable<Integer> {
    @Option(names = "--raw", required = true, paramLabel = "DIR", description = "The node's --data directory.")
    private Path directory = Path.of("");

    @Option(names = "--volume", required = true, paramLabel = "NAME_OR_ID", description = "Whose replica.")
    private String volume = "";

    @Option(names = "--out", paramLabel = "FILE", description = "Where to (default: standard output).")
    private @Nullable Path out;

    @Override
    public Integer call() {
        throw new CommandFailure(
                "store dump of " + directory + " volume " + volume + " to " + out + " is not available");
    }
}
