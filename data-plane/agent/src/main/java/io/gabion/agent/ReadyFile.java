package io.gabion.agent;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A file that is there while the agent serves; for start-up scripts and probes without a network. */
final class ReadyFile implements AutoCloseable {
    private final Path file;

    /** Takes away what an earlier process left. */
    ReadyFile(Path file) throws IOException {
        this.file = requireNonNull(file, "file is null");
        Files.deleteIfExists(file);
    }

    void appear() throws IOException {
        Files.writeString(file, "ready\n");
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(file);
    }
}
