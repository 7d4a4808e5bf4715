package io.gabion.csi.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gabion.csi.fake.NodeSteps;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Commands that the kernel does not let end, as those on a device that does not answer: here, writers to a frozen file system.
 * Needs root.
 */
final class StuckCommandsIT {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(200);

    @TempDir
    private Path directory = Path.of("");

    private final HostCommands commands = new HostCommands(new PrometheusRegistry());
    private Path mounted = Path.of("");

    @BeforeEach
    void freeze() throws IOException {
        assumeTrue(NodeSteps.isRoot(), "mounting needs root");
        mounted = Files.createDirectory(directory.resolve("mounted"));
        Path file = directory.resolve("file");
        commands.runOrFail(LIMIT, List.of("truncate", "-s", "16M", file.toString()));
        commands.runOrFail(LIMIT, List.of("mkfs.ext4", "-q", file.toString()));
        commands.runOrFail(LIMIT, List.of("mount", "-o", "loop", file.toString(), mounted.toString()));
        commands.runOrFail(LIMIT, List.of("fsfreeze", "-f", mounted.toString()));
    }

    @AfterEach
    void thaw() {
        if (!mounted.toString().isEmpty()) {
            // Not to be taken back twice: a test may have done it.
            commands.run(LIMIT, List.of("fsfreeze", "-u", mounted.toString()));
            commands.runOrFail(LIMIT, List.of("umount", "-l", mounted.toString()));
        }
    }

    private List<String> touch(String name) {
        return List.of("touch", mounted.resolve(name).toString());
    }

    @Test
    void aCommandThatCannotBeKilledIsLeftBehindAndTheSameOneIsSoonRefused() throws Exception {
        for (int i = 0; i < HostCommands.MAX_STUCK_ALIKE; i++) {
            assertThatThrownBy(() -> commands.run(SHORT, touch("a"))).hasMessageContaining("did not end within");
        }
        assertThat(commands.stuck()).isEqualTo(HostCommands.MAX_STUCK_ALIKE);
        assertThatThrownBy(() -> commands.run(LIMIT, touch("a")))
                .hasMessageEndingWith("hangs already; the device behind it does not answer");

        // Others have nothing to do with it.
        assertThatThrownBy(() -> commands.run(SHORT, touch("b"))).hasMessageContaining("did not end within");
        assertThat(commands.run(LIMIT, List.of("stat", "-f", mounted.toString()))
                        .exitCode())
                .isZero();

        commands.runOrFail(LIMIT, List.of("fsfreeze", "-u", mounted.toString()));
        long deadlineNanos = System.nanoTime() + LIMIT.toNanos();
        while (commands.stuck() > 0 && System.nanoTime() < deadlineNanos) {
            new CountDownLatch(1).await(10, TimeUnit.MILLISECONDS);
        }
        assertThat(commands.stuck()).isZero();
        assertThat(commands.run(LIMIT, touch("a")).exitCode()).isZero();
    }
}
