package io.gabion.node.kubernetes;

import static io.gabion.node.configstore.ConfigurationStoreContract.awaitTold;
import static io.gabion.node.configstore.ConfigurationStoreContract.next;
import static io.gabion.node.configstore.ConfigurationStoreContract.read;
import static io.gabion.node.configstore.ConfigurationStoreContract.swap;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.gabion.api.testing.RealApiServer;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StorageNodeSpec;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.core.port.Event.ReadOutcome;
import io.gabion.core.port.Event.SwapOutcome;
import io.gabion.model.ClusterId;
import io.gabion.model.DiskId;
import io.gabion.model.DiskRecord;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.VolumeId;
import io.gabion.model.VolumeRecord;
import io.gabion.node.configstore.ConfigurationStore;
import io.gabion.node.configstore.ConfigurationStoreContract;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The adapter against a real API server, with a bad network in between. */
@Tag("kubernetes")
@ExtendWith(RealApiServer.class)
@Timeout(120)
class KubernetesConfigurationStoreIT implements ConfigurationStoreContract {
    private static final NodeName SELF = new NodeName("n1");
    private static final NodeName OTHER = new NodeName("n2");
    private static final NodeName[] THREE = {SELF, OTHER, new NodeName("n3")};
    private static final ClusterId CLUSTER = new ClusterId(UUID.randomUUID());

    private final KubernetesClient administrator;
    private final ApiVolumes volumes;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private ApiProxy proxy;
    private KubernetesClient client;
    private KubernetesConfigurationStore store;

    KubernetesConfigurationStoreIT(KubernetesClient administrator) {
        this.administrator = administrator;
        this.volumes = new ApiVolumes(administrator);
    }

    @BeforeEach
    void start() throws Exception {
        proxy = new ApiProxy(administrator);
        client = KubernetesConfigurationStore.connect(proxy.config());
        store = new KubernetesConfigurationStore(client, SELF, UUID.randomUUID(), timer).start();
    }

    @AfterEach
    void stop() {
        store.close();
        client.close();
        proxy.close();
        timer.shutdownNow();
    }

    @Override
    public ConfigurationStore store() {
        return store;
    }

    @Override
    public VolumeRecord createVolume() {
        return volumes.create(THREE);
    }

    @Override
    public void stopStore() {
        proxy.stop();
    }

    @Override
    public void restartStore() throws IOException {
        proxy.restart();
    }

    /** A volume whose state the adapter knows. */
    private VolumeRecord knownVolume() throws Exception {
        VolumeRecord record = createVolume();
        assertThat(read(store, record.id())).isEqualTo(new ReadOutcome.Found(record));
        proxy.forget();
        return record;
    }

    // ---- unknown outcomes
    @Test
    void aLostReplyIsUnknownAndTheChangeIsKnownAsOwnAfterwards() throws Exception {
        VolumeRecord second = next(knownVolume());
        proxy.weather(new ApiProxy.Weather.RepliesLost());
        assertThat(swap(store, second)).isInstanceOf(SwapOutcome.Unknown.class);
        assertThat(proxy.count("PATCH")).as("nothing repeats a patch").isEqualTo(1);
        proxy.weather(new ApiProxy.Weather.Fair());
        assertThat(volumes.record(second.id())).as("it was done").isEqualTo(second);
        assertThat(swap(store, second)).isEqualTo(new SwapOutcome.Won(second));
        assertThat(volumes.record(second.id())).isEqualTo(second);
    }

    @Test
    void silenceIsUnknownWithinABoundedTime() throws Exception {
        VolumeRecord second = next(knownVolume());
        proxy.weather(new ApiProxy.Weather.Silent());
        long begun = System.nanoTime();
        assertThat(swap(store, second)).isInstanceOf(SwapOutcome.Unknown.class);
        assertThat(read(store, second.id())).isInstanceOf(ReadOutcome.Unavailable.class);
        assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(20));
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 500, 503, 504})
    void anErrorOfTheServerIsUnknownAndNothingIsSentTwice(int status) throws Exception {
        VolumeRecord second = next(knownVolume());
        proxy.weather(new ApiProxy.Weather.Failing(status));
        assertThat(swap(store, second)).isInstanceOf(SwapOutcome.Unknown.class);
        assertThat(proxy.count("PATCH")).isEqualTo(1);
        assertThat(read(store, second.id())).isInstanceOf(ReadOutcome.Unavailable.class);
        proxy.weather(new ApiProxy.Weather.Fair());
        assertThat(swap(store, second)).isEqualTo(new SwapOutcome.Won(second));
    }

    // ---- what is asked of the API server
    @Test
    void aChangeIsOneRequestAndOtherWritersOfTheStatusDoNotDisturbIt() throws Exception {
        VolumeRecord second = next(knownVolume());
        volumes.patch(
                volumes.get(second.id()), "[{\"op\":\"add\",\"path\":\"/status/allocatedBytes\",\"value\":4096}]");
        assertThat(swap(store, second)).isEqualTo(new SwapOutcome.Won(second));
        assertThat(proxy.count("PATCH")).isEqualTo(1);
        assertThat(proxy.count("GET")).isZero();
        assertThat(volumes.get(second.id()).getStatus().getAllocatedBytes()).isEqualTo(4096);
    }

    @Test
    void aLostRaceTellsWhatStands() throws Exception {
        VolumeRecord record = knownVolume();
        VolumeRecord winner = next(record);
        volumes.force(winner);
        assertThat(swap(store, next(record))).isEqualTo(new SwapOutcome.Lost(winner));
        assertThat(proxy.count("PATCH") + proxy.count("GET")).isLessThanOrEqualTo(2);
    }

    @Test
    void aSwapOfAVolumeThatIsGoneIsRefused() throws Exception {
        VolumeRecord record = knownVolume();
        administrator.resource(volumes.get(record.id())).delete();
        assertThat(swap(store, next(record))).isInstanceOf(SwapOutcome.Refused.class);
        assertThat(read(store, record.id())).isInstanceOf(ReadOutcome.Absent.class);
    }

    @Test
    void aVolumeWithoutAConfigurationIsNotAbsent() throws Exception {
        Volume bare = new Volume();
        bare.getMetadata().setName("bare-" + UUID.randomUUID());
        bare.setSpec(volumes.get(createVolume().id()).getSpec());
        Volume made = administrator.resource(bare).create();
        VolumeRecord record = volumes.create(THREE);
        String id = made.getMetadata().getUid();
        volumes.patch(made, "[{\"op\":\"add\",\"path\":\"/status\",\"value\":{\"volumeId\":\"" + id + "\"}}]");
        assertThat(read(store, VolumeId.of(id))).isInstanceOf(ReadOutcome.Unavailable.class);
        assertThat(read(store, record.id())).isInstanceOf(ReadOutcome.Found.class);
    }

    // ---- newer and older versions
    @Test
    void fieldsOfANewerVersionSurvive() throws Exception {
        VolumeRecord record = volumeOfANewerVersion();
        VolumeRecord second = next(record);
        assertThat(swap(store, second)).isEqualTo(new SwapOutcome.Won(second));
        assertThat(Serialization.asJson(volumes.get(record.id()))).contains("\"joining\"", "\"hint\"");
    }

    @Test
    void anOlderDefinitionThatDropsFieldsStopsChanges() throws Exception {
        VolumeRecord record = volumeOfANewerVersion();
        proxy.tamper(answer -> answer.replaceAll("\"joining\":\\[[^]]*],?", ""));
        VolumeRecord second = next(record);
        assertThat(swap(store, second)).isEqualTo(new SwapOutcome.Won(second));
        assertThat(swap(store, next(second)))
                .isInstanceOfSatisfying(SwapOutcome.Refused.class, refused -> assertThat(refused.violations())
                        .singleElement()
                        .asString()
                        .contains("joining", "upgrade the custom resource definitions"));
        assertThat(volumes.record(second.id())).isEqualTo(second);
    }

    private VolumeRecord volumeOfANewerVersion() throws Exception {
        VolumeRecord record = createVolume();
        volumes.patch(
                volumes.get(record.id()),
                "[{\"op\":\"replace\",\"path\":\"/status/config/version\",\"value\":2},"
                        + "{\"op\":\"add\",\"path\":\"/status/config/joining\",\"value\":[\"x\"]},"
                        + "{\"op\":\"add\",\"path\":\"/status/config/inSync/0/hint\",\"value\":7}]");
        VolumeRecord marked = volumes.record(record.id());
        assertThat(read(store, record.id())).isEqualTo(new ReadOutcome.Found(marked));
        return marked;
    }

    // ---- watch
    @Test
    void anExpiredWatchIsOpenedAgainAndMissesNothing() throws Exception {
        BlockingQueue<VolumeRecord> told = new LinkedBlockingQueue<>();
        store.watch(told::add);
        VolumeRecord record = createVolume();
        awaitTold(told, record);
        proxy.expireWatches();
        VolumeRecord second = next(record);
        volumes.force(second);
        assertThat(awaitTold(told, second)).isEqualTo(second);
        assertThat(proxy.awaitToldExpired()).as("every watch was told").isTrue();
        VolumeRecord third = next(second);
        volumes.force(third);
        assertThat(awaitTold(told, third)).isEqualTo(third);
    }

    @Test
    void whatADeadWatchDidNotTellIsFoundByLooking() throws Exception {
        VolumeRecord record = createVolume();
        BlockingQueue<VolumeRecord> told = new LinkedBlockingQueue<>();
        try (ApiCalls calls = new ApiCalls();
                VolumeObjects watchless = new VolumeObjects(client, calls, SELF)) {
            watchless.catchUp(told::add);
            assertThat(awaitTold(told, record)).isEqualTo(record);
            told.clear();
            VolumeRecord second = next(record);
            volumes.force(second);
            watchless.catchUp(told::add);
            assertThat(told).containsExactly(second);
            told.clear();
            watchless.catchUp(told::add);
            assertThat(told).isEmpty();
        }
    }

    @Test
    void onlyVolumesWithTheLabelOfThisNodeAreTold() throws Exception {
        BlockingQueue<VolumeRecord> told = new LinkedBlockingQueue<>();
        store.watch(told::add);
        VolumeRecord foreign = volumes.create(OTHER);
        VolumeRecord own = createVolume();
        awaitTold(told, own);
        assertThat(told).extracting(VolumeRecord::id).doesNotContain(foreign.id());
        assertThat(read(store, foreign.id())).as("but it can be read").isEqualTo(new ReadOutcome.Found(foreign));
    }

    // ---- disks and nodes
    private void makeNode(NodeName name) {
        administrator
                .resources(StorageNode.class)
                .withName(name.value())
                .withTimeout(10, TimeUnit.SECONDS)
                .delete();
        StorageNode node = new StorageNode();
        node.getMetadata().setName(name.value());
        node.setSpec(new StorageNodeSpec());
        administrator.resource(node).create();
    }

    private Optional<DiskRecord> disk(ConfigurationStore asked, DiskId disk) throws Exception {
        CompletableFuture<Optional<DiskRecord>> answer = new CompletableFuture<>();
        asked.readDisk(disk, answer::complete, reason -> answer.completeExceptionally(new IOException(reason)));
        return answer.get(WAIT_SECONDS, TimeUnit.SECONDS);
    }

    private static Optional<String> swapDisk(ConfigurationStore asked, DiskRecord next) throws Exception {
        CompletableFuture<Optional<String>> answer = new CompletableFuture<>();
        asked.swapDisk(next, () -> answer.complete(Optional.empty()), problem -> answer.complete(Optional.of(problem)));
        return answer.get(WAIT_SECONDS, TimeUnit.SECONDS);
    }

    @Test
    void theRecordOfADiskIsSwappedOnceAndFollowsTheDiskToAnotherNode() throws Exception {
        makeNode(SELF);
        makeNode(OTHER);
        DiskId disk = new DiskId(UUID.randomUUID());
        DiskRecord first = new DiskRecord(disk, CLUSTER, SELF, "default", 1, 1);
        assertThat(disk(store, disk)).isEmpty();
        assertThat(swapDisk(store, first)).isEmpty();
        assertThat(disk(store, disk)).contains(first);
        DiskRecord second = new DiskRecord(disk, CLUSTER, SELF, "default", 2, 2);
        assertThat(swapDisk(store, second)).isEmpty();
        assertThat(swapDisk(store, second)).as("the version has grown").isPresent();
        DiskId another = new DiskId(UUID.randomUUID());
        assertThat(swapDisk(store, new DiskRecord(another, CLUSTER, SELF, "default", 1, 1)))
                .isEmpty();
        try (KubernetesConfigurationStore elsewhere =
                new KubernetesConfigurationStore(client, OTHER, UUID.randomUUID(), timer)) {
            DiskRecord moved = new DiskRecord(disk, CLUSTER, OTHER, "default", 3, 3);
            assertThat(swapDisk(elsewhere, moved)).isEmpty();
            assertThat(disk(store, disk))
                    .as("a copy that stayed must learn of it")
                    .contains(moved);
        }
    }

    @Test
    void aNodeThatAnnouncedItselfIsFoundByTheOthers() throws Exception {
        makeNode(SELF);
        CompletableFuture<Boolean> announced = new CompletableFuture<>();
        BlockingQueue<Boolean> changes = new LinkedBlockingQueue<>();
        store.whenNodesChange(() -> changes.add(true));
        store.putNode(
                new NodeRecord(SELF, "10.1.2.3", 7400, 7401, 7402, "1", 0),
                () -> announced.complete(true),
                reason -> announced.completeExceptionally(new IOException(reason)));
        announced.get(WAIT_SECONDS, TimeUnit.SECONDS);
        List<NodeRecord> found = List.of();
        while (found.stream().noneMatch(n -> n.host().equals("10.1.2.3"))) {
            assertThat(changes.poll(WAIT_SECONDS, TimeUnit.SECONDS)).isNotNull();
            CompletableFuture<List<NodeRecord>> nodes = new CompletableFuture<>();
            store.listNodes(nodes::complete, reason -> nodes.complete(List.of()));
            found = nodes.get(WAIT_SECONDS, TimeUnit.SECONDS);
        }
        assertThat(found).contains(new NodeRecord(SELF, "10.1.2.3", 7400, 7401, 7402, "1", 1));
    }
}
