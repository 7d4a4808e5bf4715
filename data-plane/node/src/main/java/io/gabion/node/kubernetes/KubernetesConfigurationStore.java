package io.gabion.node.kubernetes;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.core.port.Event.ReadOutcome;
import io.gabion.core.port.Event.SwapOutcome;
import io.gabion.model.DiskId;
import io.gabion.model.DiskRecord;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.node.configstore.ConfigurationStore;
import io.gabion.node.configstore.SwapQueue;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The configuration store on the API server: Volumes hold the records, StorageNodes the nodes and their disks. */
public final class KubernetesConfigurationStore implements ConfigurationStore {
    private static final Logger LOG = LoggerFactory.getLogger(KubernetesConfigurationStore.class);
    private static final String ENDS = "the process ends";
    /** Reads of records per second that one node may ask for; after the loss of a node each volume reads and swaps. */
    private static final int READS_PER_SECOND = 2 * SwapQueue.SWAPS_PER_SECOND;
    /** How old a watch may be that died without a sign. */
    private static final long CATCH_UP_SECONDS = 60;

    private final ApiCalls calls = new ApiCalls();
    private final VolumeObjects volumes;
    private final NodeObjects nodes;
    private final RecordSwap swap;
    private final SwapQueue queue;
    private final SwapQueue readQueue;
    private final UUID bootId;
    private final ScheduledExecutorService timer;
    private final List<Runnable> nodeListeners = new CopyOnWriteArrayList<>();

    /** {@code client} stays the caller's. */
    public KubernetesConfigurationStore(
            KubernetesClient client, NodeName self, UUID bootId, ScheduledExecutorService timer) {
        this.bootId = bootId;
        this.timer = timer;
        this.volumes = new VolumeObjects(client, calls, self);
        this.nodes = new NodeObjects(client, calls, self);
        this.swap = new RecordSwap(client, calls, volumes, System::nanoTime);
        SwapQueue.Timer later = (delayNanos, task) -> {
            if (!timer.isShutdown()) {
                var unused = timer.schedule(task, delayNanos, TimeUnit.NANOSECONDS);
            }
        };
        this.queue = new SwapQueue(System::nanoTime, later);
        this.readQueue = new SwapQueue(READS_PER_SECOND, System::nanoTime, later);
    }

    /** A client with the bounds that this store needs: in a pod as its service account, else as {@code KUBECONFIG} says. */
    public static KubernetesClient connect() {
        return ApiCalls.connect();
    }

    /** As {@link #connect()}, with given credentials. */
    public static KubernetesClient connect(Config config) {
        return ApiCalls.connect(config);
    }

    /** Opens the watch of the nodes. */
    public KubernetesConfigurationStore start() {
        nodes.watch(() -> nodeListeners.forEach(Runnable::run));
        return this;
    }

    NodeObjects nodes() {
        return nodes;
    }

    @Override
    public boolean reachable() {
        return calls.reachable();
    }

    @Override
    public int swapsWaiting() {
        return queue.waiting();
    }

    // ---- volumes
    @Override
    public void read(VolumeId volume, Consumer<ReadOutcome> answer) {
        readQueue.submit(
                true,
                () -> calls.run(
                        () -> answer.accept(readNow(volume)), () -> answer.accept(new ReadOutcome.Unavailable(ENDS))));
    }

    /** Blocks. */
    ReadOutcome readNow(VolumeId volume) {
        try {
            Volume found = volumes.read(volume);
            if (found == null) {
                return new ReadOutcome.Absent();
            }
            String name = found.getMetadata().getName();
            return VolumeRecords.record(found)
                    .<ReadOutcome>map(ReadOutcome.Found::new)
                    .orElseGet(() -> new ReadOutcome.Unavailable("Volume " + name + " has no configuration"));
        } catch (KubernetesClientException e) {
            return new ReadOutcome.Unavailable(ApiCalls.describe(e));
        } catch (IllegalArgumentException e) {
            return new ReadOutcome.Unavailable("the record is malformed: " + e.getMessage());
        }
    }

    @Override
    public void swap(VolumeRecord next, boolean urgent, Consumer<SwapOutcome> answer) {
        queue.submit(
                urgent,
                () -> calls.run(
                        () -> answer.accept(swap.swap(next)), () -> answer.accept(new SwapOutcome.Unknown(ENDS))));
    }

    /** The operator takes the object away when nobody is left in its record; a storage node may not. */
    @Override
    public void remove(VolumeRecord record, Consumer<Boolean> done) {
        done.accept(true);
    }

    /** None: the operator finishes with them. */
    @Override
    public void listDeleting(Consumer<List<VolumeRecord>> value, Consumer<String> unavailable) {
        value.accept(List.of());
    }

    @Override
    public void watch(Consumer<VolumeRecord> listener) {
        volumes.watch(listener);
        long first = CATCH_UP_SECONDS + ThreadLocalRandom.current().nextLong(CATCH_UP_SECONDS);
        var unused = timer.scheduleWithFixedDelay(
                () -> calls.run(() -> catchUp(listener), () -> {}), first, CATCH_UP_SECONDS, TimeUnit.SECONDS);
    }

    private void catchUp(Consumer<VolumeRecord> listener) {
        try {
            volumes.catchUp(listener);
        } catch (KubernetesClientException e) {
            LOG.debug("volumes were not listed: {}", e.getMessage());
        }
    }

    // ---- disks and nodes
    @Override
    public void readDisk(DiskId disk, Consumer<Optional<DiskRecord>> value, Consumer<String> unavailable) {
        ask(
                () -> {
                    Optional<DiskRecord> found = nodes.disk(disk);
                    return () -> value.accept(found);
                },
                unavailable);
    }

    @Override
    public void swapDisk(DiskRecord next, Runnable won, Consumer<String> problem) {
        ask(
                () -> {
                    nodes.swapDisk(next);
                    return won;
                },
                problem);
    }

    @Override
    public void putNode(NodeRecord node, Runnable done, Consumer<String> unavailable) {
        ask(
                () -> {
                    nodes.announce(node, bootId.toString());
                    return done;
                },
                unavailable);
    }

    @Override
    public void listNodes(Consumer<List<NodeRecord>> value, Consumer<String> unavailable) {
        nodes.known()
                .ifPresentOrElse(value, () -> unavailable.accept("the watch of the storage nodes is not open yet"));
    }

    @Override
    public void whenNodesChange(Runnable changed) {
        nodeListeners.add(changed);
    }

    private interface Question {
        /** Blocks; what is returned runs outside the handling of failures. */
        Runnable ask();
    }

    private void ask(Question question, Consumer<String> unavailable) {
        calls.run(
                () -> {
                    Runnable answer;
                    try {
                        answer = question.ask();
                    } catch (KubernetesClientException e) {
                        unavailable.accept(ApiCalls.describe(e));
                        return;
                    } catch (IllegalArgumentException e) {
                        unavailable.accept("the answer of the API server is malformed: " + e.getMessage());
                        return;
                    }
                    answer.run();
                },
                () -> unavailable.accept(ENDS));
    }

    @Override
    public void close() {
        volumes.close();
        nodes.close();
        calls.close();
    }
}
