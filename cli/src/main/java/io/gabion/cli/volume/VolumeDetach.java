package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.Deadlines;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.CommandFailure;
import io.gabion.model.Attachment;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.v1.DetachRequest;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "detach", description = "Takes a volume from its agent.")
final class VolumeDetach implements Callable<Integer> {
    private final Session session;

    @Parameters(paramLabel = "NAME", description = "Name or id of the volume.")
    private String name = "";

    @Option(
            names = "--force",
            description = "Also when the agent does not answer: its session is refused from now on; what it has not"
                    + " written yet is lost.")
    private boolean force;

    VolumeDetach(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        try (Cluster cluster = session.connect()) {
            RecordAccess records = new RecordAccess(cluster);
            VolumeRecord volume = records.volume(name);
            if (!volume.config().attachments().isEmpty()) {
                tellAgent(cluster, volume);
                volume = records.change(volume, VolumeDetach::withoutAttachments);
            }
            VolumeRecord detached = volume;
            session.output().show(VolumeList.summary(detached), () -> "volume \"" + name + "\" is attached to nobody");
        }
        return 0;
    }

    private void tellAgent(Cluster cluster, VolumeRecord volume) {
        try {
            if (!force && AttachedDevice.find(cluster, volume).isEmpty()) {
                throw new CommandFailure(cluster.agentName() + " does not have the volume");
            }
            cluster.agent(
                    Deadlines.CALL,
                    stub -> stub.detach(DetachRequest.newBuilder()
                            .setVolume(volume.id().toString())
                            .build()));
        } catch (CommandFailure e) {
            if (!force) {
                throw new CommandFailure(
                        e.getMessage() + "; volume \"" + name + "\" is attached to "
                                + volume.config().attachments().getFirst().node()
                                + ": use a context with that agent, or fence it with --force",
                        e);
            }
            session.output().progress("the agent was not told: " + e.getMessage());
        }
    }

    /** The floor remembers the highest generation, so that none is given twice and the old one is refused. */
    static VolumeRecord withoutAttachments(VolumeRecord current, String writer) {
        if (current.config().attachments().isEmpty()) {
            return current;
        }
        long highest = current.config().attachments().stream()
                .mapToLong(Attachment::generation)
                .max()
                .orElseThrow();
        long floor = Math.max(current.config().sessionFloor(), highest + 1);
        return current.withConfig(current.config().withAttachments(List.of(), floor, writer));
    }
}
