package io.gabion.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgramTest {
    @Test
    void aFailureIsOneLine() {
        assertThat(Program.oneLine(new NoSuchFileException("/a"))).isEqualTo("file /a does not exist");
        assertThat(Program.oneLine(new IOException("first\nsecond"))).isEqualTo("first");
        assertThat(Program.oneLine(new IllegalStateException(""))).isEqualTo("failed");
    }

    @Test
    void aPartThatFailsToEndKeepsNoOtherFromItsEnd() {
        List<String> ended = new ArrayList<>();
        Deque<AutoCloseable> parts = new ArrayDeque<>();
        parts.push(() -> ended.add("first started"));
        parts.push(() -> {
            throw new IOException("stuck");
        });
        parts.push(() -> ended.add("last started"));
        Shutdown.of(parts);
        assertThat(ended).containsExactly("last started", "first started");
        assertThat(parts).isEmpty();
    }

    @Test
    void aTemporaryDirectoryEndsWithAllThatIsInIt() throws IOException {
        Path path;
        try (TemporaryDirectory directory = TemporaryDirectory.create("gabion-test")) {
            path = directory.path();
            Files.writeString(Files.createDirectories(path.resolve("a/b")).resolve("file"), "x");
        }
        assertThat(path).doesNotExist();
    }
}
