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
    private static final String DEFAULT_POOL = "default";
    /** In epoch 1 a replica that is listed with it may begin empty: nothing was written yet. */
    private static final long FIRST_INCARNATION = 0;

    private final Session session;

    @Parameters(paramLabel = "NAME", description = "Name of the volume.")
    private String name = "";

    @Option(
            names = "--size",
            required = true,
            paramLabel = "SIZE",
            description = "Such as 1GiB or 500MB; a multiple of 4096 bytes.")
    private ByteSize size = new ByteSize(0);

    @Option(
            names = "--replicas",
            paramLabel = "N",
            defaultValue = "3",
            description = "Copies, each on another node (default: ${DEFAULT-VALUE}).")
    private int replicas;

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
        long bytes = size.ofVolume("--size");
        if (replicas < 1 || replicas > VolumeSpec.MAX_REPLICAS) {
            throw new UsageFailure("--replicas: must be 1 to " + VolumeSpec.MAX_REPLICAS + ", not " + replicas);
        }
        int minimum = minInSync == null ? VolumeSpec.defaultMinInSync(replicas) : minInSync;
        if (minimum < 1 || minimum > replicas) {
            throw new UsageFailure("--min-in-sync: must be 1 to --replicas (" + replicas + "), not " + minimum);
        }
        try (Cluster cluster = session.connect()) {
            RecordAccess records = new RecordAccess(cluster);
            VolumeRecord volume = plan(cluster, records, bytes, minimum);
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

    private VolumeRecord plan(Cluster cluster, RecordAccess records, long bytes, int minimum) {
        List<VolumeRecord> volumes = records.volumes();
        if (volumes.stream().anyMatch(v -> !v.deleting() && v.spec().name().equals(name))) {
            throw new CommandFailure("NAME: volume \"" + name + "\" exists already; choose another name");
        }
        PoolRecord wanted = choosePool(records.pools());
        VolumeSpec spec;
        try {
            spec = new VolumeSpec(name, bytes, replicas, minimum, wanted.name(), onPoolFull, RecoveryPolicy.ANY);
        } catch (IllegalArgumentException e) {
            throw new UsageFailure(String.valueOf(e.getMessage()));
        }
        var answers = NodeSurvey.ask(cluster, records.nodes().values(), Optional.empty());
        List<NodeName> nodes = Candidates.of(answers, volumes, wanted, Set.of()).choose(replicas, "--replicas", wanted);
        List<ReplicaPlacement> placement = new ArrayList<>();
        List<InSyncMember> inSync = new ArrayList<>();
        for (NodeName node : nodes) {
            ReplicaId replica = new ReplicaId(UUID.randomUUID());
            placement.add(new ReplicaPlacement(replica, node));
            inSync.add(new InSyncMember(replica, FIRST_INCARNATION));
        }
        VolumeConfig config = new VolumeConfig(
                1, 1, inSync.getFirst().replica(), inSync, 0, bytes, 0, List.of(), 0, "gabion/" + UUID.randomUUID());
        return new VolumeRecord(new VolumeId(UUID.randomUUID()), spec, placement, List.of(), false, config);
    }

    private PoolRecord choosePool(List<PoolRecord> pools) {
        List<String> names = pools.stream().map(PoolRecord::name).toList();
        if (pools.isEmpty()) {
            throw new CommandFailure("there is no pool; create one with: gabion pool create " + DEFAULT_POOL);
        }
        String wanted = pool != null ? pool : pools.size() == 1 ? names.getFirst() : DEFAULT_POOL;
        return pools.stream()
                .filter(p -> p.name().equals(wanted))
                .findFirst()
                .orElseThrow(() ->
                        new CommandFailure("--pool: pool \"" + wanted + "\" does not exist; there are: " + names));
    }
}
