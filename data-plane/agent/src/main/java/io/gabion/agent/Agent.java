package io.gabion.agent;

import java.io.IOException;
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
            System.err.println("gabion-agent: "
                    + String.valueOf(e.getMessage()).lines().findFirst().orElse("failed"));
            System.exit(EXIT_FAILURE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
