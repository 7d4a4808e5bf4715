package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.Deadlines;
import io.gabion.cli.nbd.NbdClient;
import io.gabion.cli.nbd.NbdUri;
import io.gabion.cli.text.CommandFailure;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.v1.AgentAttachment;
import io.gabion.protocol.control.v1.ListAttachmentsRequest;
import java.util.Optional;

/** The block device of an attached volume at the context's agent. */
final class AttachedDevice {
    private AttachedDevice() {}

    /** What the agent has of the volume. */
    static Optional<AgentAttachment> find(Cluster cluster, VolumeRecord volume) {
        return cluster
                .agent(Deadlines.CALL, stub -> stub.listAttachments(ListAttachmentsRequest.getDefaultInstance()))
                .getAttachmentsList()
                .stream()
                .filter(a -> a.getVolume().equals(volume.id().toString()))
                .findFirst();
    }

    static NbdClient open(Cluster cluster, VolumeRecord volume) {
        AgentAttachment attachment = find(cluster, volume)
                .orElseThrow(
                        () -> new CommandFailure("volume \"" + volume.spec().name()
                                + "\" is not attached to the " + cluster.agentName()
                                + "; attach it first: gabion volume attach "
                                + volume.spec().name() + " --node AGENT"));
        NbdUri uri = NbdUri.parse(attachment.getNbdUri());
        return NbdClient.open(uri.socket(), uri.export());
    }
}
