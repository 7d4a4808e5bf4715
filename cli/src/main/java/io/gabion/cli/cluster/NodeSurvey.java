package io.gabion.cli.cluster;

import io.gabion.cli.text.CommandFailure;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.VolumeId;
import io.gabion.protocol.control.ControlErrors;
import io.gabion.protocol.control.v1.GetNodeStatusRequest;
import io.gabion.protocol.control.v1.ListReplicasRequest;
import io.gabion.protocol.control.v1.NodeStatus;
import io.gabion.protocol.control.v1.ReplicaStatus;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Asks nodes at the same time how they are; a node that does not answer is an answer too. */
public final class NodeSurvey {
    private NodeSurvey() {}

    /**
     * What one node said.
     *
     * @param status empty when it did not answer
     * @param replicas of the volume asked for
     * @param failure why it did not answer, empty when it did
     */
    public record Answer(NodeRecord node, Optional<NodeStatus> status, List<ReplicaStatus> replicas, String failure) {}

    /** @param volume whose replicas are wanted; none when empty */
    public static Map<NodeName, Answer> ask(Cluster cluster, Collection<NodeRecord> nodes, Optional<VolumeId> volume) {
        Map<NodeName, Answer> answers = new TreeMap<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Answer>> asked = new ArrayList<>();
            for (NodeRecord node : nodes) {
                asked.add(threads.submit(() -> one(cluster, node, volume)));
            }
            for (Future<Answer> future : asked) {
                Answer answer = future.get();
                answers.put(answer.node().name(), answer);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailure("interrupted", e);
        } catch (ExecutionException e) {
            throw new CommandFailure("asking the nodes failed: " + e.getCause(), e);
        }
        return answers;
    }

    private static Answer one(Cluster cluster, NodeRecord node, Optional<VolumeId> volume) {
        try {
            NodeStatus status = cluster.nodeRaw(
                    node, Deadlines.STATUS, stub -> stub.getNodeStatus(GetNodeStatusRequest.getDefaultInstance()));
            List<ReplicaStatus> replicas = volume.isEmpty()
                    ? List.of()
                    : cluster.nodeRaw(node, Deadlines.STATUS, stub -> stub.listReplicas(ListReplicasRequest.newBuilder()
                                    .setVolume(volume.get().toString())
                                    .build())
                            .getReplicasList());
            return new Answer(node, Optional.of(status), replicas, "");
        } catch (StatusRuntimeException e) {
            return new Answer(node, Optional.empty(), List.of(), ControlErrors.describe(Cluster.nodeName(node), e));
        }
    }

    /** The shortest time since anybody heard from the node, in milliseconds; empty when nobody can say. */
    public static Optional<Long> silentMillis(Map<NodeName, Answer> answers, NodeName node) {
        return answers.values().stream()
                .flatMap(answer -> answer.status().stream())
                .flatMap(status -> status.getPeersList().stream())
                .filter(peer -> peer.getNode().equals(node.value()) && peer.getLastHeartbeatAgeMillis() >= 0)
                .map(peer -> peer.getLastHeartbeatAgeMillis())
                .min(Long::compare);
    }
}
