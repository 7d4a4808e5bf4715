package io.gabion.operator.node;

import io.gabion.api.record.NodeRecords;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import io.gabion.protocol.control.ControlChannels;
import io.gabion.protocol.control.ControlErrors;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlTls;
import io.gabion.protocol.control.HostPort;
import io.gabion.protocol.control.v1.HandoverRequest;
import io.gabion.protocol.control.v1.ListReplicasRequest;
import io.gabion.protocol.control.v1.NodeControlGrpc;
import io.gabion.protocol.control.v1.ReplicaStatus;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks every storage node over its control interface now and then, and remembers the answers. Safe for any thread. */
public final class NodeControlPlane implements DataPlane, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodeControlPlane.class);
    private static final long DEADLINE_MILLIS = 3000;
    private static final long HANDOVER_DEADLINE_MILLIS = 10_000;
    /** One lost answer is no silence. */
    private static final int FAILURES_OF_SILENCE = 2;

    /** Where the current identity of this process comes from; it changes when it is renewed. */
    public interface TlsSource {
        Optional<ControlTls> current() throws IOException;
    }

    private record Link(HostPort address, ControlTls tls, ManagedChannel channel) {}

    private record Answer(List<ReplicaObservation> replicas, int failures, String failure) {}

    private final TlsSource tls;
    private final Map<NodeName, Link> links = new ConcurrentHashMap<>();
    private final Map<NodeName, Answer> answers = new ConcurrentHashMap<>();

    public NodeControlPlane(TlsSource tls) {
        this.tls = tls;
    }

    /**
     * Asks all nodes, each for a few seconds at most, at the same time.
     *
     * @param changedVolumes told of every volume whose copies changed
     * @param changedNodes told of every node that fell silent or answers again
     */
    public void ask(Collection<StorageNode> nodes, Consumer<VolumeId> changedVolumes, Consumer<NodeName> changedNodes) {
        Set<NodeName> known = new HashSet<>();
        Set<Thread> calls = new HashSet<>();
        for (StorageNode node : nodes) {
            Optional<NodeRecord> record = address(node);
            if (record.isEmpty()) {
                continue;
            }
            known.add(record.get().name());
            calls.add(Thread.startVirtualThread(() -> ask(record.get(), changedVolumes, changedNodes)));
        }
        try {
            for (Thread call : calls) {
                call.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        answers.keySet().retainAll(known);
        links.entrySet().removeIf(e -> {
            boolean gone = !known.contains(e.getKey());
            if (gone) {
                e.getValue().channel().shutdownNow();
            }
            return gone;
        });
    }

    private static Optional<NodeRecord> address(StorageNode node) {
        try {
            return NodeRecords.node(node);
        } catch (IllegalArgumentException e) {
            LOG.warn("storage node {}: {}", node.getMetadata().getName(), e.getMessage());
            return Optional.empty();
        }
    }

    private void ask(NodeRecord node, Consumer<VolumeId> changedVolumes, Consumer<NodeName> changedNodes) {
        Answer before = answers.get(node.name());
        Answer after;
        try {
            Optional<NodeControlGrpc.NodeControlBlockingStub> stub = stub(node, DEADLINE_MILLIS);
            if (stub.isEmpty()) {
                return;
            }
            after = new Answer(
                    stub.get().listReplicas(ListReplicasRequest.getDefaultInstance()).getReplicasList().stream()
                            .map(NodeControlPlane::observation)
                            .toList(),
                    0,
                    "");
        } catch (StatusRuntimeException | IOException e) {
            String failure = ControlErrors.describe("node " + node.name(), e);
            after = before == null
                    ? new Answer(List.of(), 1, failure)
                    : new Answer(before.replicas(), before.failures() + 1, failure);
        } catch (IllegalArgumentException e) {
            LOG.warn("node {} reports what cannot be: {}", node.name(), e.getMessage());
            return;
        }
        answers.put(node.name(), after);
        boolean wasSilent = before != null && before.failures() >= FAILURES_OF_SILENCE;
        if (wasSilent != (after.failures() >= FAILURES_OF_SILENCE) || before == null) {
            changedNodes.accept(node.name());
        }
        differing(before == null ? List.of() : before.replicas(), after.replicas())
                .forEach(changedVolumes);
    }

    private static Set<VolumeId> differing(List<ReplicaObservation> before, List<ReplicaObservation> after) {
        Map<ReplicaId, ReplicaObservation> old = new HashMap<>();
        before.forEach(r -> old.put(r.replica(), r));
        Set<VolumeId> changed = new HashSet<>();
        for (ReplicaObservation now : after) {
            ReplicaObservation then = old.remove(now.replica());
            if (then == null || !then.coarse().equals(now.coarse())) {
                changed.add(now.volume());
            }
        }
        old.values().forEach(r -> changed.add(r.volume()));
        return changed;
    }

    private static ReplicaObservation observation(ReplicaStatus status) {
        return new ReplicaObservation(
                VolumeId.of(status.getVolume()),
                ReplicaId.of(status.getReplica()),
                status.getRole(),
                status.getStallReason()
                        + (status.getStallWaitsFor().isEmpty() ? "" : ", waiting for " + status.getStallWaitsFor()),
                status.getUsedBytes(),
                status.getResyncComparedBytes(),
                status.getResyncTotalBytes(),
                status.getEverWritten());
    }

    private Optional<NodeControlGrpc.NodeControlBlockingStub> stub(NodeRecord node, long deadlineMillis)
            throws IOException {
        Optional<ControlTls> identity = tls.current();
        if (identity.isEmpty()) {
            return Optional.empty();
        }
        HostPort address = new HostPort(node.host(), node.controlPort());
        Link link = links.get(node.name());
        if (link == null || !link.address().equals(address) || link.tls() != identity.get()) {
            ManagedChannel channel =
                    ControlChannels.secure(address.host(), address.port(), identity.get(), Set.of(ControlRole.NODE));
            Link replaced = links.put(node.name(), new Link(address, identity.get(), channel));
            link = links.get(node.name());
            if (replaced != null) {
                replaced.channel().shutdown();
            }
        }
        return link == null
                ? Optional.empty()
                : Optional.of(NodeControlGrpc.newBlockingStub(link.channel())
                        .withDeadlineAfter(deadlineMillis, TimeUnit.MILLISECONDS));
    }

    @Override
    public Map<ReplicaId, ReplicaObservation> replicas(VolumeId volume) {
        Map<ReplicaId, ReplicaObservation> found = new HashMap<>();
        answers.values().stream()
                .filter(a -> a.failures() < FAILURES_OF_SILENCE)
                .flatMap(a -> a.replicas().stream())
                .filter(r -> r.volume().equals(volume))
                .forEach(r -> found.put(r.replica(), r));
        return found;
    }

    @Override
    public Optional<List<ReplicaObservation>> replicasOn(NodeName node) {
        return Optional.ofNullable(answers.get(node))
                .filter(a -> a.failures() == 0)
                .map(Answer::replicas);
    }

    @Override
    public Optional<String> silence(NodeName node) {
        return Optional.ofNullable(answers.get(node))
                .filter(a -> a.failures() >= FAILURES_OF_SILENCE)
                .map(Answer::failure);
    }

    @Override
    public Optional<String> handOver(NodeName from, VolumeId volume, ReplicaId target) {
        Link link = links.get(from);
        if (link == null) {
            return Optional.of("node " + from + " was not reached yet");
        }
        Answer last = answers.get(from);
        if (last != null && last.failures() > 0) {
            // The volumes that a dead node led would hold up every thread, and with them all other volumes.
            return Optional.of(last.failure());
        }
        try {
            var unused = NodeControlGrpc.newBlockingStub(link.channel())
                    .withDeadlineAfter(HANDOVER_DEADLINE_MILLIS, TimeUnit.MILLISECONDS)
                    .handover(HandoverRequest.newBuilder()
                            .setVolume(volume.toString())
                            .setTargetReplica(target.toString())
                            .build());
            return Optional.empty();
        } catch (StatusRuntimeException e) {
            return Optional.of(ControlErrors.describe("node " + from, e));
        }
    }

    @Override
    public void close() {
        links.values().forEach(l -> l.channel().shutdownNow());
    }
}
