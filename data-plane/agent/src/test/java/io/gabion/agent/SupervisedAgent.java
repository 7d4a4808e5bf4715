package io.gabion.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.agent.nbd.Clients;
import io.gabion.protocol.control.ControlChannels;
import io.gabion.protocol.control.v1.AgentControlGrpc;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Assumptions;

/** An agent in a process of its own, below the supervisor that its container would have. */
final class SupervisedAgent implements AutoCloseable {
    private static final long REST_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long READY_SECONDS = 60;
    private static final long END_SECONDS = 40;

    private final Path log;
    private final Path ready;
    private final Path controlSocket;
    private final Process supervisor;

    /** Compiles the supervisor as its image does; skips the test where there is no compiler. */
    static Path compileSupervisor(Path directory, String... more) throws IOException, InterruptedException {
        Clients.requireInstalled("gcc");
        Path source = Path.of("src/main/c/supervisor.c").toAbsolutePath();
        Assumptions.assumeTrue(Files.exists(source), source + " is missing");
        Path program = directory.resolve("supervisor");
        List<String> command =
                new ArrayList<>(List.of("gcc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-o"));
        command.addAll(List.of(program.toString(), source.toString()));
        command.addAll(List.of(more));
        Clients.succeed(command.toArray(String[]::new));
        return program;
    }

    /**
     * Starts it.
     *
     * @param directory shared by successors: the host path of a real agent
     * @param name of this start, for its files
     */
    SupervisedAgent(Path program, Path directory, String name, List<String> arguments) throws IOException {
        this.log = directory.resolve(name + ".log");
        this.ready = directory.resolve(name + ".ready");
        this.controlSocket = directory.resolve(name + "-control.sock");
        List<String> command = new ArrayList<>(List.of(
                program.toString(),
                "--keep",
                directory.resolve("keep.sock").toString(),
                "--",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx192m",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                Agent.class.getName()));
        command.addAll(arguments);
        command.add("--control-socket=" + controlSocket);
        command.add("--ready-file=" + ready);
        supervisor = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
    }

    String log() throws IOException {
        return Files.readString(log);
    }

    boolean isReady() {
        return Files.exists(ready);
    }

    void awaitReady() throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(READY_SECONDS);
        while (!isReady()) {
            if (System.nanoTime() >= deadline || !supervisor.isAlive()) {
                throw new AssertionError("not ready in time: " + log());
            }
            rest();
        }
    }

    /** The machine has better things to do than to look again and again. */
    private static void rest() {
        LockSupport.parkNanos(REST_NANOS);
    }

    /** The process of the agent itself. */
    Optional<ProcessHandle> process() {
        return supervisor.children().findFirst();
    }

    /** As {@code kill -9} does; the ready file of the victim is taken away. */
    void kill() throws IOException {
        ProcessHandle victim = process().orElseThrow();
        Files.deleteIfExists(ready);
        victim.destroyForcibly();
        // Not onExit: for processes of others it looks seldom.
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(END_SECONDS);
        while (victim.isAlive()) {
            assertThat(System.nanoTime()).as("killed").isLessThan(deadline);
            rest();
        }
    }

    /** The supervisor's, as a container's end does it. */
    int terminate() throws InterruptedException {
        supervisor.destroy();
        assertThat(supervisor.waitFor(END_SECONDS, TimeUnit.SECONDS)).isTrue();
        return supervisor.exitValue();
    }

    ManagedChannel channel() {
        return ControlChannels.unixSocket(controlSocket);
    }

    static AgentControlGrpc.AgentControlBlockingStub control(ManagedChannel channel) {
        return AgentControlGrpc.newBlockingStub(channel).withWaitForReady().withDeadlineAfter(30, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        process().ifPresent(ProcessHandle::destroyForcibly);
        supervisor.destroyForcibly();
        try {
            supervisor.waitFor(END_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
