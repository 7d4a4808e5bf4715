package io.gabion.csi.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.csi.host.HostCommands.Result;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

final class HostCommandsTest {
    private final HostCommands commands = new HostCommands(new PrometheusRegistry());

    @Test
    void outputErrorsAndExitCodeAreKeptApart() {
        Result result = commands.run(Duration.ofSeconds(10), List.of("sh", "-c", "echo out; echo err >&2; exit 3"));

        assertThat(result).isEqualTo(new Result(3, "out\n", "err\n"));
        assertThat(result.summary()).isEqualTo("err");
    }

    @Test
    void aCommandThatDoesNotEndIsKilledAndSaidToBeTooSlow() {
        assertThatThrownBy(() -> commands.run(Duration.ofMillis(100), List.of("sleep", "1000")))
                .isInstanceOf(HostCommandException.class)
                .hasMessage("sleep 1000 did not end within 0 s");
        assertThat(commands.stuck()).isZero();
    }

    @Test
    void aCommandThatIsTooSlowTakesItsChildrenWithIt() {
        String seconds = "86399." + ProcessHandle.current().pid();
        assertThatThrownBy(
                        () -> commands.run(Duration.ofMillis(500), List.of("sh", "-c", "sleep " + seconds + "; true")))
                .hasMessageContaining("did not end within");

        assertThat(ProcessHandle.allProcesses()
                        .filter(ProcessHandle::isAlive)
                        .filter(process ->
                                process.info().commandLine().orElse("").endsWith("sleep " + seconds)))
                .isEmpty();
    }

    @Test
    void endlessOutputFillsNoMemory() {
        Result result = commands.run(Duration.ofSeconds(10), List.of("head", "-c", "3000000", "/dev/zero"));

        assertThat(result.output()).hasSize(HostCommands.MAX_OUTPUT_BYTES);
    }

    @Test
    void aGrandchildThatKeepsThePipeOpenDelaysNobody() {
        long started = System.nanoTime();
        commands.run(Duration.ofSeconds(10), List.of("sh", "-c", "sleep 15 & exit 0"));

        assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(10));
    }

    @Test
    void aFailureIsToldWithTheCommandsOwnWords() {
        assertThatThrownBy(() -> commands.runOrFail(
                        Duration.ofSeconds(10), List.of("sh", "-c", "echo no such thing >&2; exit 1")))
                .hasMessage("sh -c echo no such thing >&2; exit 1 failed with 1: no such thing");
        assertThatThrownBy(() -> commands.run(Duration.ofSeconds(1), List.of("no-such-program")))
                .hasMessageStartingWith("cannot run no-such-program: ");
    }
}
