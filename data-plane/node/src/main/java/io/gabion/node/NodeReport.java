package io.gabion.node;

import io.gabion.core.port.Event;
import io.gabion.core.volume.ReplicaView;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.node.configstore.ConfigurationStore;
import io.gabion.node.control.NodeOperations;
import io.gabion.node.metrics.NodeSample;
import io.gabion.node.metrics.VolumeSample;
import io.gabion.wire.WireCounters;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Answers what people and scrapes ask of the process, by asking every replica on its shard. Blocks; any thread but a loop. */
final class NodeReport implements NodeOperations {
    /** A shard that does not answer within this time is left out. */
    private static final long ANSWER_SECONDS = 2;

    private static final String SERVING = "serving";

    private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

    private final NodeOptions options;
    private final String version;
    private final String networkBackend;
    private final ReplicaRegistry replicas;
    private final ReplicaDisk disk;
    private final PeerLinks links;
    private final ClientLinks clients;
    private final ConfigurationStore configurations;
    private final WireCounters wire;
    private volatile DiskState diskState = new DiskState("checking", "waits for its record in the configuration store");

    private record DiskState(String state, String reason) {}

    /** One replica as its shard told. */
    private record Told(
            ReplicaView view,
            long incarnation,
            Optional<String> failure,
            long stalledMillis,
            Optional<VolumeRecord> record,
            String name,
            double degradedSeconds) {}

    NodeReport(
            NodeOptions options,
            String version,
            String networkBackend,
            ReplicaRegistry replicas,
            NodeSurroundings.Plugged parts,
            ConfigurationStore configurations,
            WireCounters wire) {
        this.options = options;
        this.version = version;
        this.networkBackend = networkBackend;
        this.replicas = replicas;
        this.disk = parts.disk();
        this.links = parts.links();
        this.clients = parts.clients();
        this.configurations = configurations;
        this.wire = wire;
    }

    void diskServes() {
        diskState = new DiskState(SERVING, "");
    }

    void diskFaulted(String reason) {
        diskState = new DiskState("faulted", reason);
    }

    void diskRefused(String reason) {
        diskState = new DiskState("refused", reason);
    }

    // ---- control
    @Override
    public NodeFacts facts() {
        ReplicaDisk.Space space = disk.space();
        DiskState state = judged(diskState, disk.health());
        DiskFacts facts = new DiskFacts(
                disk.id().toString(),
                options.pool(),
                space.sizeBytes(),
                space.usedBytes(),
                space.reservedBytes(),
                space.freeBytes(),
                state.state(),
                state.reason());
        return new NodeFacts(
                options.name(),
                options.cluster(),
                options.bootId(),
                version,
                networkBackend,
                disk.backend(),
                List.of(facts),
                peers(),
                configurations.reachable());
    }

    /** A disk that serves may still be one to look at. */
    private static DiskState judged(DiskState state, ReplicaDisk.Health health) {
        return state.state().equals(SERVING) && !health.reasons().isEmpty()
                ? new DiskState("suspect", String.join("; ", health.reasons()))
                : state;
    }

    private List<PeerFacts> peers() {
        CompletableFuture<List<PeerLinks.PeerView>> answer = new CompletableFuture<>();
        links.run(() -> answer.complete(links.view()));
        long now = System.nanoTime();
        return await(answer).orElse(List.of()).stream()
                .map(peer -> new PeerFacts(
                        peer.node(),
                        peer.up(),
                        peer.heardNanos() == Long.MIN_VALUE
                                ? -1
                                : TimeUnit.NANOSECONDS.toMillis(now - peer.heardNanos())))
                .toList();
    }

    @Override
    public List<ReplicaFacts> replicas(Optional<VolumeId> volume) {
        List<Told> told = told(volume);
        Map<VolumeId, ReplicaDisk.Use> uses = uses(told);
        return told.stream()
                .map(t -> {
                    ReplicaDisk.Use use = uses.getOrDefault(t.view().volume(), ReplicaDisk.Use.NONE);
                    return new ReplicaFacts(
                            t.view(),
                            use.bytes(),
                            use.snapshotBytes(),
                            use.snapshots(),
                            t.incarnation(),
                            t.failure(),
                            t.stalledMillis());
                })
                .toList();
    }

    private Map<VolumeId, ReplicaDisk.Use> uses(List<Told> told) {
        return disk.use(told.stream().map(t -> t.view().volume()).toList());
    }

    private List<Told> told(Optional<VolumeId> volume) {
        List<CompletableFuture<Told>> answers = new ArrayList<>();
        for (HostedReplica hosted : replicas.all()) {
            if (volume.isEmpty() || volume.get().equals(hosted.volume())) {
                answers.add(replicas.ask(hosted, this::tell));
            }
        }
        return answers.stream().map(NodeReport::await).flatMap(Optional::stream).toList();
    }

    /** On the replica's shard. */
    private Told tell(HostedReplica hosted) {
        ReplicaView view = hosted.view();
        long now = hosted.shard().nowNanos();
        Optional<VolumeRecord> record = newest(hosted.known(), view.record());
        boolean degraded = view.role().equals("primary")
                && record.isPresent()
                && record.get().config().inSync().size() < record.get().spec().replicas();
        hosted.meter().degraded(degraded, now);
        long stalledMillis = view.stall()
                .map(stall -> TimeUnit.NANOSECONDS.toMillis(now - stall.sinceNanos()))
                .orElse(0L);
        return new Told(
                view,
                hosted.incarnation(),
                hosted.failure(),
                stalledMillis,
                record,
                hosted.name(),
                hosted.meter().degradedSeconds());
    }

    private static Optional<VolumeRecord> newest(Optional<VolumeRecord> a, Optional<VolumeRecord> b) {
        if (a.isPresent() && b.isPresent()) {
            return a.get().config().version() >= b.get().config().version() ? a : b;
        }
        return a.or(() -> b);
    }

    @Override
    public void requestVerify(VolumeId volume, long id) {
        replicas.to(volume, hosted -> hosted.offer(new Event.VerifyRequested(id)));
    }

    @Override
    public void requestHandover(VolumeId volume, ReplicaId target) {
        replicas.to(volume, hosted -> hosted.offer(new Event.HandoverRequested(target)));
    }

    // ---- metrics
    NodeSample sample() {
        ReplicaDisk.Space space = disk.space();
        Map<String, Boolean> peers = new HashMap<>();
        peers().forEach(peer -> peers.put(peer.node().value(), peer.up()));
        List<Told> told = told(Optional.empty());
        Map<VolumeId, ReplicaDisk.Use> uses = uses(told);
        ReplicaDisk.Counts counts = disk.counts();
        ReplicaDisk.ScrubCounts scrub = disk.scrubCounts();
        ReplicaDisk.Health health = disk.health();
        return new NodeSample(
                told.stream()
                        .map(t -> sample(t, uses.getOrDefault(t.view().volume(), ReplicaDisk.Use.NONE)))
                        .toList(),
                peers,
                new NodeSample.DiskSample(
                        disk.id().toString(),
                        space.sizeBytes(),
                        space.usedBytes(),
                        space.reservedBytes(),
                        space.freeBytes(),
                        oldestAppendNanos() / NANOS_PER_SECOND,
                        counts.batches(),
                        counts.records(),
                        counts.dataBytes(),
                        counts.writtenBytes(),
                        counts.checksumFailures(),
                        judged(diskState, health).state(),
                        health.badPlaces(),
                        health.readErrors(),
                        health.repairedBlocks()),
                new NodeSample.ScrubSample(
                        scrub.bytesPerSecond(), scrub.passes(), scrub.checkedBytes(), scrub.damagedBlocks()),
                configurations.reachable(),
                configurations.swapsWaiting(),
                clients.size(),
                new NodeSample.WireSample(
                        wire.bytesSent(), wire.bytesReceived(), wire.flushes(), wire.endedByReason()));
    }

    private double oldestAppendNanos() {
        double oldest = 0;
        for (Shard shard : replicas.shards()) {
            CompletableFuture<Long> answer = new CompletableFuture<>();
            shard.run(() -> answer.complete(shard.appends().oldestAgeNanos(shard.nowNanos())));
            oldest = Math.max(oldest, await(answer).orElse(0L).doubleValue());
        }
        return oldest;
    }

    private static VolumeSample sample(Told told, ReplicaDisk.Use use) {
        ReplicaView view = told.view();
        return new VolumeSample(
                view.volume().toString(),
                told.name(),
                view.replica().toString(),
                told.failure().isPresent() ? "stopped" : view.role(),
                view.epoch(),
                told.record().map(r -> r.config().inSync().size()).orElse(0),
                told.record().map(r -> r.spec().replicas()).orElse(0),
                told.record().map(r -> r.config().sizeBytes()).orElse(0L),
                use.bytes(),
                use.snapshots(),
                use.snapshotBytes(),
                view.stall().isPresent(),
                view.writesInFlight(),
                told.degradedSeconds(),
                view.resyncComparedBytes(),
                view.resyncCopiedBytes(),
                view.resyncTotalBytes());
    }

    private static <T> Optional<T> await(CompletableFuture<T> answer) {
        try {
            return Optional.of(answer.get(ANSWER_SECONDS, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        } catch (ExecutionException | TimeoutException e) {
            return Optional.empty();
        }
    }
}
