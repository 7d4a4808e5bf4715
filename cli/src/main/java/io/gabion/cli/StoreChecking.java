package io.gabion.cli;

import io.gabion.cli.text.CommandFailure;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "check", description = "Reads a stopped node's directory and says whether everything in it is sound.")
final class StoreChecking implements Callable<Integer> {
    @Parameters(paramLabel = "DIR", description = "The node's --data directory.")
    private Path directory = Path.of("");

    @Override
    public Integer call() {
        throw new CommandFailure("store check of " + directory + " is not available");
    }
}
