package io.gabion.agent;

import io.gabion.wire.TlsIdentity;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;

/** Entry point of the agent's process: serves attached volumes to block clients on this machine. */
public final class Agent {
    private static final int EXIT_FAILURE = 1;
    private static final int EXIT_USAGE = 2;
    private static final String WARM_UP = "--warm-up";
    /** Less than the life that a kept certificate must have left. */
    private static final Duration FIRST_LOOK = Duration.ofMinutes(1);

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
        if (words.equals(List.of(WARM_UP))) {
            warmUp();
            return;
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
            AgentProcess process =
                    options.credentials().isPresent() ? AgentProcess.start(options) : startOnKubernetes(options);
            Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(process::close));
            Thread.currentThread().join();
        } catch (IOException | IllegalStateException | IllegalArgumentException e) {
            System.err.println("gabion-agent: " + describe(e));
            System.exit(EXIT_FAILURE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void warmUp() {
        try {
            WarmUp.run();
            System.exit(0);
        } catch (IOException | InterruptedException | AgentOptions.UsageException e) {
            System.err.println("gabion-agent: " + e.getMessage());
            System.exit(EXIT_FAILURE);
        }
    }

    /** Probes are answered from the first moment on: the certificate, or the predecessor, may take a while. */
    private static AgentProcess startOnKubernetes(AgentOptions options) throws IOException, InterruptedException {
        AgentProcess.Ground ground = AgentProcess.Ground.lay(options);
        KubernetesIdentity identity = new KubernetesIdentity(
                options.name(),
                options.socketDirectory().toAbsolutePath(),
                options.tlsEngine(),
                ground.readiness(),
                KubernetesIdentity::connect,
                InstantSource.system());
        TlsIdentity tls = identity.obtain();
        AgentProcess process = AgentProcess.start(options, tls, ground);
        // The next process starts with the right one.
        process.closeWithIt(identity.keepFresh(tls, FIRST_LOOK, () -> System.exit(EXIT_FAILURE)));
        return process;
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
