package io.gabion.cli.volume;

import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.CommandGroup;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code gabion volume ...}. */
@Command(name = "volume", description = "Volumes: replicated block devices.")
public final class VolumeCommands extends CommandGroup {
    private VolumeCommands() {}

    public static CommandLine all(Session session) {
        return CommandGroup.of(
                new VolumeCommands(),
                new VolumeCreate(session),
                new VolumeList(session),
                new VolumeDescribe(session),
                new VolumeDelete(session),
                new VolumeResize(session),
                new VolumeScale(session),
                new VolumeAttach(session),
                new VolumeDetach(session),
                new VolumeVerify(session),
                new VolumeRecover(session),
                new VolumeHandover(session),
                new VolumeExport(session),
                new VolumeImport(session));
    }
}
