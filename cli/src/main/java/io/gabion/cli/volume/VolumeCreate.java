package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.NodeSurvey;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.ByteSize;
import io.gabion.cli.text.CommandFailure;
import io.gabion.cli.text.UsageFailure;
import io.gabion.model.InSyncMember;
import io.gabion.model.NodeName;
import io.gabion.model.PoolFullPolicy;
import io.gabion.model.RecoveryPolicy;
import io.gabion.model.ReplicaId;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeOrigin;
import io.gabion.model.VolumeRecord;
import io.gabion.model.VolumeSpec;
import io.gabion.protocol.control.PoolRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "create", description = "Creates a volume and waits until it serves.", sortOptions = false)
final class VolumeCreate implements Callable<Integer> {
    private static final int DEFAULT_REPLICAS = 3;
    private static final String DEFAULT_POOL = "default";
    /** In the founding epoch a replica that is listed with it may begin empty: nothing was written yet. */
    private static final long FIRST_INCARNATION = 0;

    private final Session session;

    @Parameters(paramLabel = "NAME", description = "Name of the volume.")
    private String name = "";

    @Option(
            names = "--size",
            paramLabel = "SIZE",
            description =
                    "Such as 1GiB or 500MB; a multiple of 4096 bytes (with --from: at least and by default that of"
                            + " the snapshot).")
    private @Nullable ByteSize size;

    @Option(
            names = "--from",
            paramLabel = "VOLUME@SNAPSHOT",
            description = "Begin with what a snapshot holds, at once and without copying it.")
    private @Nullable String from;

    @Option(
            names = "--replicas",
            paramLabel = "N",
            description = "Copies, each on another node (default: 3; with --from: as many as its volume has).")
    private @Nullable Integer wantedReplicas;

    @Option(
            names = "--min-in-sync",
            paramLabel = "N",
            description = "Writes wait while fewer copies are in sync (default: all but one; 1 of 2).")
    private @Nullable Integer minInSync;

    @Option(
            names = "--pool",
            paramLabel = "POOL",
            description = "Where (default: the pool \"default\", or the only one).")
    private @Nullable String pool;

    @Option(
            names = "--on-pool-full",
            paramLabel = "stall|error",
            defaultValue = "stall",
            description = "What a write meets without space (default: ${DEFAULT-VALUE}).")
    private PoolFullPolicy onPoolFull = PoolFullPolicy.STALL;

    @Option(names = "--no-wait", description = "Return as soon as the record stands.")
    private boolean noWait;

    VolumeCreate(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        if (size == null && from == null) {
            throw new UsageFailure("Missing required option: '--size=SIZE'");
        }
        if (size != null) {
            var unused = size.ofVolume("--size");
        }
        if (wantedReplicas != null) {
            checkCopies(wantedReplicas);
        }
        try (Cluster cluster = session.connect()) {
            RecordAccess records = new RecordAccess(cluster);
            Optional<CloneSource> source =
                    Optional.ofNullable(from).map(text -> CloneSource.find(cluster, records, text));
            int replicas = wantedReplicas != null
                    ? wantedReplicas
                    : source.map(s -> s.parent().spec().replicas()).orElse(DEFAULT_REPLICAS);
            int minimum = checkCopies(replicas);
            long bytes = sizeBytes(source);
            VolumeRecord volume = plan(cluster, records, source, new Wanted(bytes, replicas, minimum));
            records.create(volume);
            if (!noWait) {
                ServingWait.untilPrimaryServes(cluster, records, volume.id());
            }
            VolumeRecord now = records.find(volume.id()).orElse(volume);
            session.output()
                    .show(
                            VolumeList.summary(now),
                            () -> "volume \"" + name + "\" of " + ByteSize.format(bytes) + " created on "
                                    + VolumeList.nodes(now) + (noWait ? "" : "; it serves"));
        }
        return 0;
    }

    private record Wanted(long bytes, int replicas, int minInSync) {}

    /** Returns how many have to be in sync. */
    private int checkCopies(int replicas) {
        if (replicas < 1 || replicas > VolumeSpec.MAX_REPLICAS) {
            throw new UsageFailure("--replicas: must be 1 to " + VolumeSpec.MAX_REPLICAS + ", not " + replicas);
        }
        int minimum = minInSync == null ? VolumeSpec.defaultMinInSync(replicas) : minInSync;
        if (minimum < 1 || minimum > replicas) {
            throw new UsageFailure("--min-in-sync: must be 1 to --replicas (" + replicas + "), not " + minimum);
        }
        return minimum;
    }

    private long sizeBytes(Optional<CloneSource> source) {
        long least = source.map(CloneSource::sizeBytes).orElse(0L);
        long bytes = size == null ? least : size.ofVolume("--size");
        if (bytes < least) {
            throw new UsageFailure("--size: the snapshot needs at least " + least + " bytes, not " + bytes);
        }
        return bytes;
    }

    private VolumeRecord plan(Cluster cluster, RecordAccess records, Optional<CloneSource> source, Wanted wanted) {
        List<VolumeRecord> volumes = records.volumes();
        if (volumes.stream().anyMatch(v -> !v.deleting() && v.spec().name().equals(name))) {
            throw new CommandFailure("NAME: volume \"" + name + "\" exists already; choose another name");
        }
        PoolRecord in = choosePool(records.pools(), source);
        VolumeSpec spec;
        try {
            spec = new VolumeSpec(
                    name,
                    wanted.bytes(),
                    wanted.replicas(),
                    wanted.minInSync(),
                    in.name(),
                    onPoolFull,
                    RecoveryPolicy.ANY);
        } catch (IllegalArgumentException e) {
            throw new UsageFailure(String.valueOf(e.getMessage()));
        }
        List<NodeName> founders = source.map(
                        s -> s.founders().stream().limit(wanted.replicas()).toList())
                .orElse(List.of());
        List<NodeName> nodes = new ArrayList<>(founders);
        int missing = wanted.replicas() - founders.size();
        if (missing > 0) {
            var answers = NodeSurvey.ask(cluster, records.nodes().values(), Optional.empty());
            nodes.addAll(
                    Candidates.of(answers, volumes, in, Set.copyOf(founders)).choose(missing, "--replicas", in));
        }
        return record(spec, nodes, source.isPresent() ? founders : nodes, source.map(CloneSource::origin));
    }

    /** @param founders nodes that begin in sync; the others get the content from them */
    private static VolumeRecord record(
            VolumeSpec spec, List<NodeName> nodes, List<NodeName> founders, Optional<VolumeOrigin> origin) {
        List<ReplicaPlacement> placement = new ArrayList<>();
        List<InSyncMember> inSync = new ArrayList<>();
        for (NodeName node : nodes) {
            ReplicaId replica = new ReplicaId(UUID.randomUUID());
            placement.add(new ReplicaPlacement(replica, node));
            if (founders.contains(node)) {
                inSync.add(new InSyncMember(replica, FIRST_INCARNATION));
            }
        }
        VolumeId id = new VolumeId(UUID.randomUUID());
        VolumeRecord first = new VolumeRecord(id, spec, placement, List.of(), false, config(1, spec, inSync), origin);
        return first.withConfig(config(first.foundingEpoch(), spec, inSync));
    }

    private static VolumeConfig config(long epoch, VolumeSpec spec, List<InSyncMember> inSync) {
        return new VolumeConfig(
                1,
                epoch,
                inSync.getFirst().replica(),
                inSync,
                0,
                spec.sizeBytes(),
                0,
                List.of(),
                0,
                "gabion/" + UUID.randomUUID());
    }

    private PoolRecord choosePool(List<PoolRecord> pools, Optional<CloneSource> source) {
        List<String> names = pools.stream().map(PoolRecord::name).toList();
        if (pools.isEmpty()) {
            throw new CommandFailure("there is no pool; create one with: gabion pool create " + DEFAULT_POOL);
        }
        String wanted = pool != null
                ? pool
                : source.map(s -> s.parent().spec().pool()).orElse(pools.size() == 1 ? names.getFirst() : DEFAULT_POOL);
        return pools.stream()
                .filter(p -> p.name().equals(wanted))
                .findFirst()
                .orElseThrow(() ->
                        new CommandFailure("--pool: pool \"" + wanted + "\" does not exist; there are: " + names));
    }
}
