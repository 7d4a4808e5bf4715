package io.gabion.cli;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.ClusterContext;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.snapshot.SnapshotCommands;
import io.gabion.cli.text.ByteSize;
import io.gabion.cli.text.CommandFailure;
import io.gabion.cli.text.CommandGroup;
import io.gabion.cli.text.Format;
import io.gabion.cli.text.Output;
import io.gabion.cli.text.UsageFailure;
import io.gabion.cli.volume.VolumeCommands;
import io.gabion.process.BuildVersion;
import io.gabion.process.NearestWord;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The {@code gabion} command. Exit codes: 0 done, 1 could not be done, 2 the command line is wrong. */
@Command(
        name = "gabion",
        description = "Looks after the volumes of a Gabion cluster.",
        versionProvider = Gabion.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        sortOptions = false)
public final class Gabion implements Runnable, Session {
    private static final int EXIT_FAILURE = 1;
    private static final int EXIT_USAGE = 2;

    @Option(
            names = "--context",
            paramLabel = "FILE",
            scope = ScopeType.INHERIT,
            description = "Which cluster: a file of properties (default: $GABION_CONTEXT, else ~/.gabion/context).")
    private @Nullable Path context;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "json|text",
            scope = ScopeType.INHERIT,
            defaultValue = "text",
            description = "How results are written (default: ${DEFAULT-VALUE}).")
    private Format format = Format.TEXT;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Says what a command does and takes.")
    @SuppressWarnings("UnusedVariable") // picocli acts on it.
    private boolean help;

    @Option(names = "--version", versionHelp = true, description = "Says which version this is.")
    @SuppressWarnings("UnusedVariable") // picocli acts on it.
    private boolean version;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    /** Runs one command line and ends the process with its exit code. */
    public static void main(String[] arguments) {
        if (System.getProperty("logback.configurationFile") == null) {
            System.setProperty("logback.configurationFile", "logback-gabion.xml");
        }
        System.exit(run(writer(System.out), writer(System.err), arguments));
    }

    private static PrintWriter writer(PrintStream stream) {
        return new PrintWriter(new OutputStreamWriter(stream, StandardCharsets.UTF_8), true);
    }

    /** Runs one command line; returns its exit code. */
    public static int run(PrintWriter out, PrintWriter err, String... arguments) {
        Gabion root = new Gabion();
        CommandLine line = new CommandLine(root);
        line.addSubcommand(VolumeCommands.all(root));
        line.addSubcommand(SnapshotCommands.all(root));
        line.addSubcommand(CommandGroup.of(new Groups.Pool(), new PoolCreate(root), new PoolList(root)));
        line.addSubcommand(CommandGroup.of(new Groups.Node(), new NodeList(root), new NodeHandover(root)));
        line.addSubcommand(CommandGroup.of(
                new Groups.Store(), new StoreChecking(root), new StoreDumping(root), new StoreExporting(root)));
        line.setOut(out);
        line.setErr(err);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.registerConverter(ByteSize.class, text -> {
            try {
                return ByteSize.parse(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        });
        line.setParameterExceptionHandler(Gabion::explainUsage);
        line.setExecutionExceptionHandler(Gabion::explainFailure);
        return line.execute(arguments);
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    @Override
    public Cluster connect() {
        return new Cluster(ClusterContext.load(ClusterContext.locate(Optional.ofNullable(context))));
    }

    @Override
    public Output output() {
        return new Output(format, spec.commandLine().getOut());
    }

    private static int explainUsage(ParameterException failure, String[] arguments) {
        PrintWriter err = failure.getCommandLine().getErr();
        CommandSpec command = failure.getCommandLine().getCommandSpec();
        List<String> options = command.options().stream()
                .flatMap(option -> Stream.of(option.names()))
                .toList();
        // A mistyped option also leaves a required one missing; what was typed says more.
        Optional<String> unknown = Stream.of(arguments)
                .filter(argument -> argument.startsWith("-"))
                .map(argument -> argument.split("=", 2)[0])
                .filter(name -> !options.contains(name)
                        && (name.startsWith("--") || name.length() == 1 || !options.contains(name.substring(0, 2))))
                .findFirst();
        String message;
        if (unknown.isPresent()) {
            message = "unknown option " + unknown.get() + meant(unknown.get(), options);
        } else if (failure instanceof UnmatchedArgumentException unmatched
                && !unmatched.getUnmatched().isEmpty()) {
            String typed = unmatched.getUnmatched().getFirst();
            message = command.subcommands().isEmpty()
                    ? "unexpected argument \"" + typed + "\""
                    : "unknown command \"" + typed + "\""
                            + meant(typed, command.subcommands().keySet());
        } else {
            message = String.valueOf(failure.getMessage()).lines().findFirst().orElse("");
        }
        err.println(command.qualifiedName() + ": " + message);
        err.println("Try: " + command.qualifiedName() + " --help");
        return EXIT_USAGE;
    }

    private static String meant(String typed, Collection<String> known) {
        return NearestWord.near(typed, known)
                .map(word -> "; did you mean " + word + "?")
                .orElse("; known: " + String.join(", ", known));
    }

    private static int explainFailure(Exception failure, CommandLine line, CommandLine.@Nullable ParseResult parsed) {
        PrintWriter err = line.getErr();
        String name = line.getCommandSpec().qualifiedName();
        switch (failure) {
            case UsageFailure usage -> {
                err.println(name + ": " + usage.getMessage());
                return EXIT_USAGE;
            }
            case CommandFailure known -> err.println(name + ": " + known.getMessage());
            case NoSuchFileException missing ->
                err.println(name + ": file " + missing.getMessage() + " does not exist");
            case FileSystemException file ->
                err.println(name + ": file " + file.getFile() + ": "
                        + (file.getReason() == null ? "not possible" : file.getReason()));
            case IOException io -> err.println(name + ": " + io.getMessage());
            case Exception unexpected -> {
                err.println(name + ": unexpected: " + unexpected);
                unexpected.printStackTrace(err);
            }
        }
        return EXIT_FAILURE;
    }

    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"gabion " + BuildVersion.text()};
        }
    }
}
