package io.gabion.faults.cluster;

import io.gabion.faults.powerloss.PowerLossFileSystem;
import java.nio.file.Path;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A pretended machine that runs one storage process: its disk, its ports, its boot id. */
final class StorageMachine {
    final String name;
    final Path data;
    final int dataPort;
    final int controlPort;
    final int metricsPort;
    final @Nullable PowerLossFileSystem disk;
    /** The kernel's in truth; another one after every power cut. */
    UUID bootId = UUID.randomUUID();

    @Nullable
    ManagedProcess process;

    StorageMachine(String name, Path data, FreePorts ports, @Nullable PowerLossFileSystem disk) {
        this.name = name;
        this.data = data;
        this.dataPort = ports.take();
        this.controlPort = ports.take();
        this.metricsPort = ports.take();
        this.disk = disk;
    }

    ManagedProcess running() {
        ManagedProcess current = process;
        if (current == null) {
            throw new IllegalStateException(name + " was not started");
        }
        return current;
    }

    boolean isRunning() {
        return process != null && process.isAlive();
    }
}
