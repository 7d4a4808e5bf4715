package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.CommandFailure;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeRecord;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "handover", description = "Lets another copy lead, without an interruption to speak of.")
final class VolumeHandover implements Callable<Integer> {
    private final Session session;

    @Parameters(paramLabel = "NAME", description = "Name or id of the volume.")
    private String name = "";

    @Option(names = "--to", required = true, paramLabel = "NODE", description = "The node whose copy is to lead.")
    private String target = "";

    VolumeHandover(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        try (Cluster cluster = session.connect()) {
            RecordAccess records = new RecordAccess(cluster);
            VolumeRecord volume = records.volume(name);
            ReplicaId replica = volume.placement().stream()
                    .filter(p -> p.node().value().equals(target))
                    .findFirst()
                    .orElseThrow(() -> new CommandFailure("--to: volume \"" + name + "\" has no copy on \"" + target
                            + "\"; it has copies on " + VolumeList.nodes(volume)))
                    .replica();
            Handover.move(cluster, records, volume, replica);
            session.output()
                    .show(
                            VolumeList.summary(records.find(volume.id()).orElse(volume)),
                            () -> "volume \"" + name + "\" is led by " + target);
        }
        return 0;
    }
}
