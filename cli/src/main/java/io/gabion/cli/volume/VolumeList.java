package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.ByteSize;
import io.gabion.cli.text.TextTable;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeRecord;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;

@Command(name = "list", description = "Lists the volumes.")
final class VolumeList implements Callable<Integer> {
    private final Session session;

    VolumeList(Session session) {
        this.session = session;
    }

    record Summary(
            String id,
            String name,
            long sizeBytes,
            int replicas,
            int minInSync,
            String pool,
            String primaryNode,
            List<String> inSyncNodes,
            long epoch,
            List<String> attachedTo,
            boolean deleting) {}

    @Override
    public Integer call() {
        try (Cluster cluster = session.connect()) {
            List<Summary> volumes = new RecordAccess(cluster)
                    .volumes().stream().map(VolumeList::summary).toList();
            session.output().show(volumes, () -> text(volumes));
        }
        return 0;
    }

    static Summary summary(VolumeRecord volume) {
        return new Summary(
                volume.id().toString(),
                volume.spec().name(),
                volume.config().sizeBytes(),
                volume.spec().replicas(),
                volume.spec().minInSync(),
                volume.spec().pool(),
                volume.primaryNode().map(NodeName::value).orElse(""),
                volume.config().inSync().stream()
                        .flatMap(m -> volume.nodeOf(m.replica()).stream())
                        .map(NodeName::value)
                        .toList(),
                volume.config().epoch(),
                volume.config().attachments().stream()
                        .map(a -> a.node().value())
                        .toList(),
                volume.deleting());
    }

    static String nodes(VolumeRecord volume) {
        return volume.placement().stream().map(p -> p.node().value()).collect(Collectors.joining(", "));
    }

    private static String text(List<Summary> volumes) {
        TextTable table = new TextTable("NAME", "SIZE", "IN SYNC", "PRIMARY", "POOL", "ATTACHED", "ID");
        for (Summary v : volumes) {
            table.row(
                    v.name() + (v.deleting() ? " (deleting)" : ""),
                    ByteSize.format(v.sizeBytes()),
                    v.deleting() ? "-" : v.inSyncNodes().size() + "/" + v.replicas(),
                    v.deleting() ? "-" : v.primaryNode(),
                    v.pool(),
                    v.attachedTo().isEmpty() ? "-" : String.join(", ", v.attachedTo()),
                    v.id());
        }
        return table.toString();
    }
}
