package io.gabion.process;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Optional;

/**
 * A program as whoever starts it sees it. It ends with 0 when a signal ended it or its work is done, with 1 when it cannot start
 * and with 2 when its command line is wrong; the reason is one line that begins with its name.
 *
 * @param usage printed for {@code --help} and after a mistake
 * @param logging resource that configures its log; of a name of its own, as jars of other programs may lie on the class path
 */
public record Program(String name, String usage, String logging) {
    private static final String LOGGING_PROPERTY = "logback.configurationFile";
    private static final int EXIT_FAILURE = 1;
    private static final int EXIT_USAGE = 2;

    /** Starts what the words of the command line say. */
    @FunctionalInterface
    public interface Start {
        /** Returns what is closed when the process is to end, when it serves; empty when its work is done. */
        Optional<? extends AutoCloseable> start(List<String> words)
                throws UsageException, IOException, InterruptedException;
    }

    /** Runs it until a signal comes. */
    public void run(String[] arguments, Start start) {
        List<String> words = List.of(arguments);
        if (words.contains("--help") || words.contains("-h")) {
            System.out.println(usage);
            return;
        }
        if (System.getProperty(LOGGING_PROPERTY) == null) {
            System.setProperty(LOGGING_PROPERTY, logging);
        }
        try {
            Optional<? extends AutoCloseable> started = start.start(words);
            if (started.isEmpty()) {
                System.exit(0);
                return;
            }
            Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> close(started.get())));
            Thread.currentThread().join();
        } catch (UsageException e) {
            complain(e);
            System.err.println(usage);
            System.exit(EXIT_USAGE);
        } catch (IOException | IllegalStateException | IllegalArgumentException e) {
            complain(e);
            System.exit(EXIT_FAILURE);
        } catch (RuntimeException e) {
            // Nothing that somebody foresaw: where it comes from tells more than its message.
            complain(e);
            e.printStackTrace();
            System.exit(EXIT_FAILURE);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void close(AutoCloseable started) {
        try {
            started.close();
        } catch (Exception e) {
            complain(e);
        }
    }

    private void complain(Exception failure) {
        System.err.println(name + ": " + oneLine(failure));
    }

    /** The messages of some file system errors are nothing but the file's name. */
    static String oneLine(Exception failure) {
        String message =
                String.valueOf(failure.getMessage()).lines().findFirst().orElse("failed");
        return switch (failure) {
            case NoSuchFileException _ -> "file " + message + " does not exist";
            case AccessDeniedException _ -> "file " + message + " may not be read or written by this user";
            default -> message;
        };
    }
}
