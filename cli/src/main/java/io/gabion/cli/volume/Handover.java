package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.Deadlines;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.text.CommandFailure;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.v1.HandoverRequest;

/** Moves the primary of a volume in an orderly way. */
public final class Handover {
    private Handover() {}

    /** Returns when the target leads; throws {@link CommandFailure} when it cannot or does not in time. */
    public static void move(Cluster cluster, RecordAccess records, VolumeRecord volume, ReplicaId target) {
        String name = volume.spec().name();
        NodeName to = volume.nodeOf(target)
                .orElseThrow(() -> new CommandFailure("volume \"" + name + "\" has no replica " + target));
        if (volume.config().primary().equals(target)) {
            return;
        }
        if (volume.config().member(target).isEmpty()) {
            throw new CommandFailure("the copy of volume \"" + name + "\" on " + to
                    + " is not in sync; wait until it is: gabion volume describe " + name);
        }
        NodeName from = volume.primaryNode()
                .orElseThrow(() -> new CommandFailure("the primary of volume \"" + name + "\" has no node"));
        NodeRecord node = records.node(from);
        cluster.node(
                node,
                Deadlines.CALL,
                stub -> stub.handover(HandoverRequest.newBuilder()
                        .setVolume(volume.id().toString())
                        .setTargetReplica(target.toString())
                        .build()));
        boolean moved = Deadlines.await(Deadlines.CHANGE, () -> records.find(volume.id())
                .map(now -> now.config().primary().equals(target))
                .orElse(false));
        if (!moved) {
            throw new CommandFailure("volume \"" + name + "\": " + from + " was asked to hand over to " + to
                    + " but still leads after " + Deadlines.CHANGE.toSeconds() + " s; see: gabion volume describe "
                    + name);
        }
    }
}
