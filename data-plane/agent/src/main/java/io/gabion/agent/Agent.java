package io.gabion.agent;

import io.gabion.process.Program;
import io.gabion.wire.TlsIdentity;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/** Entry point of the agent's process: serves attached volumes to block clients on this machine. */
public final class Agent {
    private static final int EXIT_FAILURE = 1;
    private static final String WARM_UP = "--warm-up";
    /** Less than the life that a kept certificate must have left. */
    private static final Duration FIRST_LOOK = Duration.ofMinutes(1);

    private Agent() {}

    public static void main(String[] arguments) {
        new Program("gabion-agent", AgentOptions.USAGE, "logback-agent.xml").run(arguments, words -> {
            if (words.equals(List.of(WARM_UP))) {
                WarmUp.run();
                return Optional.empty();
            }
            AgentOptions options = AgentOptions.parse(words);
            return Optional.of(
                    options.credentials().isPresent() ? AgentProcess.start(options) : startOnKubernetes(options));
        });
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
}
