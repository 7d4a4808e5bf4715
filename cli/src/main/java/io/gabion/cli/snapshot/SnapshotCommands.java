package io.gabion.cli.snapshot;

import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.CommandGroup;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code gabion snapshot ...}. */
@Command(name = "snapshot", description = "Snapshots: what a volume held at one moment.")
public final class SnapshotCommands extends CommandGroup {
    private SnapshotCommands() {}

    public static CommandLine all(Session session) {
        return CommandGroup.of(
                new SnapshotCommands(),
                new SnapshotCreate(session),
                new SnapshotList(session),
                new SnapshotDelete(session),
                new SnapshotVerify(session));
    }
}
