package io.gabion.faults.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** One process of the cluster under test, addressed by its pid alone. Ends with this JVM at the latest. */
public final class ManagedProcess {
    private static final Duration READY_LIMIT = Duration.ofSeconds(60);
    private static final Duration END_LIMIT = Duration.ofSeconds(45);
    private static final int CONNECT_TIMEOUT_MILLIS = 500;

    private final String name;
    private final Path log;
    private final Process process;
    private final Thread atExit;

    private ManagedProcess(String name, Path log, Process process) {
        this.name = name;
        this.log = log;
        this.process = process;
        this.atExit = new Thread(process::destroyForcibly, "end-" + name);
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    /** Starts it; both outputs are appended to the log. */
    static ManagedProcess start(String name, List<String> command, Path log) throws IOException {
        Files.createDirectories(log.toAbsolutePath().getParent());
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        return new ManagedProcess(name, log, process);
    }

    public String name() {
        return name;
    }

    public long pid() {
        return process.pid();
    }

    public Path log() {
        return log;
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Exit value of an ended process; throws {@link IllegalStateException} while it runs. */
    public int exitValue() {
        return process.exitValue();
    }

    /** Waits until somebody listens on the port; throws when the process ends before or nobody does. */
    void awaitListening(int port) {
        Waiting.until(
                name + " listening on port " + port,
                READY_LIMIT,
                () -> {
                    if (!isAlive()) {
                        throw new IllegalStateException(name + " ended with exit code " + exitValue()
                                + " while starting; last lines:\n" + lastLines(15));
                    }
                    return listens(port);
                },
                () -> "last lines:\n" + lastLines(15));
    }

    static boolean listens(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONNECT_TIMEOUT_MILLIS);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** SIGKILL, without waiting for the end: a process that hangs in a frozen file system cannot end yet. */
    void sendKill() {
        process.destroyForcibly();
    }

    /** SIGKILL, and waits for the end. */
    void kill() {
        sendKill();
        awaitEnd();
    }

    /** SIGTERM, and waits for the end; SIGKILL when it takes too long, which is an error. */
    void stop() {
        process.destroy();
        if (!endsWithin(END_LIMIT)) {
            kill();
            throw new IllegalStateException(
                    name + " did not stop within " + END_LIMIT + "; last lines:\n" + lastLines(15));
        }
        forget();
    }

    void awaitEnd() {
        if (!endsWithin(END_LIMIT)) {
            throw new IllegalStateException(name + " (pid " + pid() + ") does not end");
        }
        forget();
    }

    /** True when the process ended within the time. */
    public boolean endsWithin(Duration limit) {
        try {
            return process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for " + name, e);
        }
    }

    private void forget() {
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            // This JVM is ending: the hook runs, and ends a process that has ended already.
            return;
        }
    }

    /** SIGSTOP: the process does nothing until {@link #resume}, as in a long pause of its machine. */
    public void suspend() {
        signal("STOP");
    }

    /** SIGCONT. */
    public void resume() {
        signal("CONT");
    }

    private void signal(String signal) {
        try {
            int exit = new ProcessBuilder("kill", "-" + signal, Long.toString(pid()))
                    .start()
                    .waitFor();
            if (exit != 0) {
                throw new IllegalStateException("kill -" + signal + " " + pid() + " (" + name + ") failed");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** The end of the log. */
    public String lastLines(int count) {
        try {
            List<String> lines = Files.readAllLines(log);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - count), lines.size()));
        } catch (IOException e) {
            return "(the log " + log + " cannot be read: " + e + ")";
        }
    }
}
