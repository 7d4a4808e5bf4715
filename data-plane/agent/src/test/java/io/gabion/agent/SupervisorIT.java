package io.gabion.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.agent.nbd.Clients;
import io.gabion.process.testing.Waiting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The supervisor over shell scripts; what it keeps is tested with the agent. */
@Timeout(60)
class SupervisorIT {
    @TempDir
    Path directory;

    private Path program;
    private Path trace;
    private final List<Process> started = new ArrayList<>();

    @BeforeEach
    void compile() throws Exception {
        program = SupervisedAgent.compileSupervisor(directory);
        trace = directory.resolve("trace");
        Files.writeString(trace, "");
    }

    @AfterEach
    void stop() {
        started.forEach(process -> {
            process.children().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        });
    }

    private Process run(String script) throws IOException {
        Process process = new ProcessBuilder(
                        program.toString(), "--", "sh", "-c", script.replace("TRACE", trace.toString()))
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        started.add(process);
        return process;
    }

    private long traced() {
        try {
            return Files.readString(trace).lines().count();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void await(BooleanSupplier condition) {
        Waiting.until("the condition", Duration.ofSeconds(30), condition::getAsBoolean);
    }

    @Test
    void programThatEndsIsStartedAgainWithGrowingPauses() throws Exception {
        long before = System.nanoTime();
        run("echo started >> TRACE; exit 7");
        await(() -> traced() >= 5);
        // At once, then 100, 200 and 400 ms.
        assertThat(System.nanoTime() - before).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(700));
    }

    @Test
    void endOfTheSupervisorIsTheProgramsGoodEnd() throws Exception {
        Process supervisor =
                run("trap 'echo ended >> TRACE; exit 3' TERM; echo started >> TRACE; while :; do sleep 0.05; done");
        await(() -> traced() == 1);
        supervisor.destroy();
        assertThat(supervisor.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(supervisor.exitValue()).isEqualTo(3);
        assertThat(Files.readString(trace)).isEqualTo("started\nended\n");
    }

    @Test
    void programWithAWrongCommandLineIsNotStartedAgain() throws Exception {
        Process supervisor = run("echo started >> TRACE; exit 2");
        assertThat(supervisor.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(supervisor.exitValue()).isEqualTo(2);
        assertThat(traced()).isEqualTo(1);
    }

    @Test
    void programThatGivesNoSignOfLifeAnyMoreIsStartedAgain() throws Exception {
        Clients.requireInstalled("python3");
        program = SupervisedAgent.compileSupervisor(directory, "-DSILENCE_MS=400");
        Path script = Files.writeString(directory.resolve("program.py"), """
                import os, socket, sys, time
                keeper = socket.socket(fileno=int(os.environ["GABION_KEEP_FD"]))
                with open(sys.argv[1], "a") as trace:
                    trace.write("started\\n")
                for i in range(5):
                    keeper.send(b"ALIVE")
                    assert keeper.recv(100) == b"OK"
                    time.sleep(0.2)
                with open(sys.argv[1], "a") as trace:
                    trace.write("silent\\n")
                time.sleep(60)
                """);
        started.add(new ProcessBuilder(
                        program.toString(),
                        "--keep",
                        directory.resolve("keep.sock").toString(),
                        "python3",
                        script.toString(),
                        trace.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start());
        await(() -> traced() >= 4);
        assertThat(Files.readString(trace)).startsWith("started\nsilent\nstarted\nsilent\n");
        assertThat(Files.readString(directory.resolve("log"))).contains("gave no sign of life for 400 ms");
    }

    /** Keeps a file in memory, or tells that it found it kept; ends when it is told to. */
    private static final String KEEPING = """
            import os, signal, socket, sys, time
            path, name = sys.argv[1:]
            def trace(word):
                with open(path, "a") as file:
                    file.write(name + " " + word + "\\n")
            def end(*_):
                trace("ends")
                os._exit(0)
            signal.signal(signal.SIGTERM, end)
            keeper = socket.socket(fileno=int(os.environ["GABION_KEEP_FD"]))
            keeper.send(b"LIST")
            found = []
            while True:
                text, descriptors, _, _ = socket.recv_fds(keeper, 256, 1)
                if not text.startswith(b"FD memory"):
                    assert text == b"END %d" % len(found), text
                    break
                found += descriptors
            if found:
                trace("finds " + os.pread(found[0], 100, 0).decode())
            else:
                memory = os.memfd_create("memory")
                os.write(memory, b"something")
                socket.send_fds(keeper, [b"KEEP memory"], [memory])
                assert keeper.recv(256) == b"OK"
                trace("keeps")
            while True:
                time.sleep(10)
            """;

    private Process keeping(String name) throws Exception {
        Clients.requireInstalled("python3");
        Path script = Files.writeString(directory.resolve("keeping.py"), KEEPING);
        Process process = new ProcessBuilder(
                        program.toString(),
                        "--keep",
                        directory.resolve("keep.sock").toString(),
                        "--",
                        "python3",
                        script.toString(),
                        trace.toString(),
                        name)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve(name + ".log").toFile())
                .start();
        started.add(process);
        return process;
    }

    @Test
    void whatIsKeptSurvivesTheProgramAndGoesToTheSuccessorAfterItsEnd() throws Exception {
        Process first = keeping("first");
        await(() -> traced() == 1);
        first.children().findFirst().orElseThrow().destroyForcibly();
        await(() -> traced() == 2);
        Process second = keeping("second");
        await(() -> traced() == 4);
        assertThat(Files.readString(trace))
                .isEqualTo("first keeps\nfirst finds something\nfirst ends\nsecond finds something\n");
        assertThat(first.children()).isEmpty();
        first.destroy();
        assertThat(first.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(first.exitValue()).isZero();
        keeping("third");
        await(() -> traced() == 6);
        assertThat(Files.readString(trace)).endsWith("second ends\nthird finds something\n");
        assertThat(second.isAlive()).isTrue();
    }

    @Test
    void predecessorGoesOnWhenItsSuccessorDiesInTheMiddle() throws Exception {
        keeping("first");
        await(() -> traced() == 1);
        Clients.succeed("python3", "-c", """
                import socket, sys
                predecessor = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                predecessor.connect(sys.argv[1])
                predecessor.send(b"TAKE")
                text, _, _, _ = socket.recv_fds(predecessor, 256, 1)
                assert text == b"FD memory", text
                """, directory.resolve("keep.sock").toString());
        await(() -> traced() == 3);
        assertThat(Files.readString(trace)).isEqualTo("first keeps\nfirst ends\nfirst finds something\n");
        keeping("second");
        await(() -> traced() == 5);
        assertThat(Files.readString(trace)).endsWith("first ends\nsecond finds something\n");
    }

    @Test
    void orphansAreReaped() throws Exception {
        Process supervisor =
                run("(sleep 0.05; echo ended >> TRACE) & exec sh -c 'echo started >> TRACE; exec sleep 30'");
        await(() -> traced() == 2);
        await(() -> supervisor.children().count() == 1);
    }
}
