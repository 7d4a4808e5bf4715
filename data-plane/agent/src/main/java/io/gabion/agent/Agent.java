package io.gabion.agent;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.List;

/** Entry point of the agent's process: serves attached volumes to block clients on this machine. */
public final class Agent {
    private static final int EXIT_FAILURE = 1;
    private static final int EXIT_USAGE = 2;

    private Agent() {}

    public static void main(String[] arguments) {
        List<String> words = List.of(arguments);
        if (words.contains("--help") || words.contains("-h")) {
            System.out.println(AgentOptions.USAGE);
            return;
        }
        // A resource of its own name: other processes' jars may lie on the same class path.
        if (System.getProperty("logback.configurationFile") == null) {
            System.setProperty("logback.configurationFile", "logback-agent.xml");
        }
        AgentOptions options;
        try {
            options = AgentOptions.parse(words);
        } catch (AgentOptions.UsageException e) {
            System.err.println("gabion-agent: " + e.getMessage());
            System.err.println(AgentOptions.USAGE);
            System.exit(EXIT_USAGE);
            return;
        }
        try {
            AgentProcess process = AgentProcess.start(options);
            Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(process::close));
            Thread.currentThread().join();
        } catch (IOException | IllegalStateException | IllegalArgumentException e) {
            System.err.println("gabion-agent: " + describe(e));
            System.exit(EXIT_FAILURE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** One line. The messages of some file system errors are nothing but the file's name. */
    private static String describe(Exception failure) {
        String message =
                String.valueOf(failure.getMessage()).lines().findFirst().orElse("failed");
        return switch (failure) {
            case NoSuchFileException _ -> "file " + message + " does not exist";
            case AccessDeniedException _ -> "file " + message + " may not be read or written by this user";
            default -> message;
        };
    }
}
