package io.gabion.node;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.Event;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.node.configstore.RecordUpkeep;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The replicas of this node and the way to each of them. Safe for any thread. */
final class ReplicaRegistry implements RecordUpkeep.Replicas {
    private final List<Shard> shards;
    private final Maker maker;
    private final Map<VolumeId, HostedReplica> replicas = new ConcurrentHashMap<>();

    /** Makes the replica of a volume on its shard. */
    @FunctionalInterface
    interface Maker {
        HostedReplica make(VolumeId volume, ReplicaId replica, Shard shard);
    }

    ReplicaRegistry(List<Shard> shards, Maker maker) {
        this.shards = List.copyOf(shards);
        this.maker = maker;
    }

    List<Shard> shards() {
        return shards;
    }

    Collection<HostedReplica> all() {
        return List.copyOf(replicas.values());
    }

    @Nullable
    HostedReplica find(VolumeId volume) {
        return replicas.get(volume);
    }

    private Shard shardOf(VolumeId volume) {
        return shards.get(Math.floorMod(volume.hashCode(), shards.size()));
    }

    /** A replica that the store found; done when it took its first event. */
    CompletableFuture<Void> started(RecoveredReplica recovered) {
        VolumeId volume = recovered.record().volume();
        CompletableFuture<Void> done = new CompletableFuture<>();
        HostedReplica hosted = maker.make(volume, recovered.record().replica(), shardOf(volume));
        replicas.put(volume, hosted);
        hosted.shard().run(() -> {
            hosted.start(new Event.Started(recovered));
            done.complete(null);
        });
        return done;
    }

    @Override
    public boolean isHosted(VolumeId volume) {
        return replicas.containsKey(volume);
    }

    @Override
    public void hint(VolumeRecord record) {
        to(record.id(), hosted -> hosted.hint(record));
    }

    @Override
    public void create(VolumeRecord record, ReplicaId replica) {
        HostedReplica hosted = maker.make(record.id(), replica, shardOf(record.id()));
        if (replicas.putIfAbsent(record.id(), hosted) == null) {
            hosted.shard().run(() -> hosted.start(new Event.Create(record, replica)));
        }
    }

    void forget(HostedReplica hosted) {
        replicas.remove(hosted.volume(), hosted);
    }

    /** Runs on the replica's shard; false when there is no such volume here. */
    boolean to(VolumeId volume, Consumer<HostedReplica> task) {
        HostedReplica hosted = replicas.get(volume);
        if (hosted == null) {
            return false;
        }
        hosted.shard().run(() -> task.accept(hosted));
        return true;
    }

    /** From the store: takes over the references of payloads in the event. */
    void storeEvent(VolumeId volume, Event event) {
        if (!to(volume, hosted -> hosted.offer(event))) {
            OwnedPayloads.release(event);
        }
    }

    /** False when the volume is unknown here; the message's payloads are released then. */
    boolean fromPeer(NodeName node, PeerMessage message) {
        boolean known = to(message.volume(), hosted -> hosted.fromPeer(node, message));
        if (!known) {
            OwnedPayloads.release(message);
        }
        return known;
    }

    /** False when the volume is unknown here; the message's payloads are released then. */
    boolean fromClient(long link, NodeName agent, ClientMessage.Request message) {
        boolean known = to(message.volume(), hosted -> hosted.fromClient(link, agent, message));
        if (!known) {
            OwnedPayloads.release(message);
        }
        return known;
    }

    /** Asks every replica something on its shard. */
    <T> List<CompletableFuture<T>> askAll(Function<HostedReplica, T> question) {
        return all().stream().map(hosted -> ask(hosted, question)).toList();
    }

    <T> CompletableFuture<T> ask(HostedReplica hosted, Function<HostedReplica, T> question) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        hosted.shard().run(() -> {
            try {
                answer.complete(question.apply(hosted));
            } catch (RuntimeException e) {
                answer.completeExceptionally(e);
            }
        });
        return answer;
    }
}
