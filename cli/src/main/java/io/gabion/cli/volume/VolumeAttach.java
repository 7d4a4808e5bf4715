package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.Deadlines;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.CommandFailure;
import io.gabion.cli.text.UsageFailure;
import io.gabion.model.Attachment;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.v1.AttachRequest;
import io.gabion.protocol.control.v1.AttachResponse;
import io.gabion.protocol.control.v1.NodeAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "attach", description = "Gives a volume to an agent, which serves it to block clients.")
final class VolumeAttach implements Callable<Integer> {
    private final Session session;

    @Parameters(paramLabel = "NAME", description = "Name or id of the volume.")
    private String name = "";

    @Option(
            names = "--node",
            required = true,
            paramLabel = "AGENT",
            description = "The agent, as its certificate names it; the one at agent-control of the context.")
    private String agent = "";

    @Option(names = "--read-only", description = "The agent may only read.")
    private boolean readOnly;

    VolumeAttach(Session session) {
        this.session = session;
    }

    private record Attached(String id, String name, String node, long generation, String nbdUri, long sizeBytes) {}

    @Override
    public Integer call() {
        NodeName node;
        try {
            node = new NodeName(agent);
        } catch (IllegalArgumentException e) {
            throw new UsageFailure("--node: " + e.getMessage());
        }
        try (Cluster cluster = session.connect()) {
            RecordAccess records = new RecordAccess(cluster);
            VolumeRecord volume = records.change(
                    records.volume(name), (current, writer) -> withAttachment(current, node, readOnly, writer));
            Attachment attachment = volume.config().attachments().getFirst();
            AttachRequest.Builder request = AttachRequest.newBuilder()
                    .setVolume(volume.id().toString())
                    .setExportName(volume.spec().name())
                    .setGeneration(attachment.generation())
                    .setReadOnly(attachment.readOnly());
            Map<NodeName, NodeRecord> nodes = records.nodes();
            for (ReplicaPlacement placement : volume.placement()) {
                NodeRecord record = nodes.get(placement.node());
                if (record != null) {
                    request.addNodes(NodeAddress.newBuilder()
                            .setNode(record.name().value())
                            .setHost(record.host())
                            .setDataPort(record.dataPort()));
                }
            }
            AttachResponse response = cluster.agent(Deadlines.ATTACH, stub -> stub.attach(request.build()));
            Attached attached = new Attached(
                    volume.id().toString(),
                    volume.spec().name(),
                    agent,
                    attachment.generation(),
                    response.getNbdUri(),
                    response.getSizeBytes());
            session.output().show(attached, response::getNbdUri);
        }
        return 0;
    }

    /** The attachment that already stands is used again: the agent may have been restarted. */
    static VolumeRecord withAttachment(VolumeRecord current, NodeName node, boolean readOnly, String writer) {
        if (current.deleting()) {
            throw new CommandFailure("volume \"" + current.spec().name() + "\" is being deleted");
        }
        long highest = current.config().sessionFloor();
        for (Attachment attachment : current.config().attachments()) {
            if (!attachment.node().equals(node)) {
                throw new CommandFailure("volume \"" + current.spec().name() + "\" is attached to "
                        + attachment.node() + "; detach it there first: gabion volume detach "
                        + current.spec().name());
            }
            if (attachment.readOnly() != readOnly) {
                throw new CommandFailure("volume \"" + current.spec().name() + "\" is attached to " + node
                        + (attachment.readOnly() ? " read only" : " for writing") + "; detach it first");
            }
            highest = Math.max(highest, attachment.generation());
        }
        if (!current.config().attachments().isEmpty()) {
            return current;
        }
        Attachment attachment = new Attachment(node, highest + 1, readOnly);
        return current.withConfig(current.config()
                .withAttachments(List.of(attachment), current.config().sessionFloor(), writer));
    }
}
