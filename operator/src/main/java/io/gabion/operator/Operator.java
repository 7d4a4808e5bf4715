package io.gabion.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.operator.certificate.AuthorityKeeper;
import io.gabion.operator.certificate.OperatorIdentity;
import io.gabion.operator.certificate.RequestControl;
import io.gabion.operator.cluster.ClusterStarter;
import io.gabion.operator.cluster.StorageClusterControl;
import io.gabion.operator.event.EventSink;
import io.gabion.operator.event.KubernetesEvents;
import io.gabion.operator.metrics.OperatorMetrics;
import io.gabion.operator.node.KubernetesTombstones;
import io.gabion.operator.node.NodeControlPlane;
import io.gabion.operator.node.StorageNodeControl;
import io.gabion.operator.pool.StoragePoolControl;
import io.gabion.operator.record.KubernetesVolumes;
import io.gabion.operator.rollout.RolloutControl;
import io.gabion.operator.view.InformerView;
import io.gabion.operator.volume.VolumeControl;
import io.gabion.operator.volume.VolumePlanner;
import io.gabion.process.BuildVersion;
import io.gabion.process.HealthServer;
import io.gabion.process.Probe;
import io.gabion.process.ProcessMetrics;
import io.gabion.process.UsageException;
import io.javaoperatorsdk.operator.api.config.ConfigurationServiceOverrider;
import io.javaoperatorsdk.operator.api.config.ControllerConfigurationOverrider;
import io.javaoperatorsdk.operator.processing.event.rate.LinearRateLimiter;
import io.javaoperatorsdk.operator.processing.retry.GenericRetry;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The operator: declares nothing itself, makes the cluster what its objects say. Any number of processes may run; one leads, and
 * one that loses the lead ends. Nothing that it does needs a memory of its own.
 */
public final class Operator implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Operator.class);
    /** Name of the Lease. */
    public static final String LEASE = "gabion-operator";

    /** Of Volumes, StoragePools and StorageNodes. */
    public static final String FINALIZER = GabionApi.GROUP + "/operator";

    private static final Duration CLUSTER_LOOKS = Duration.ofSeconds(1);
    private static final Duration LOOK_AT_ALL = Duration.ofMinutes(5);
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(5);
    private static final Duration END_PATIENCE = Duration.ofSeconds(15);
    private static final int RETRY_FIRST_MILLIS = 200;
    private static final int RETRY_LONGEST_MILLIS = 30_000;
    private static final double RETRY_FACTOR = 2;
    private static final int THREADS = 16;
    private static final int USAGE_STATUS = 2;

    private final OperatorOptions options;
    private final KubernetesClient client;
    private final Lead lead;
    private final InformerView view;
    private final NodeControlPlane dataPlane;
    private final Survey survey;
    private final HealthServer http;
    private final io.javaoperatorsdk.operator.Operator framework;

    /**
     * Connects everything; nothing acts before {@link #start}.
     *
     * @param leadLost called when this process led and somebody else may do so now
     */
    Operator(OperatorOptions options, KubernetesClient client, Runnable leadLost) throws IOException {
        this.options = options;
        this.client = client;
        this.lead = new Lead(client, options.namespace(), options.identity(), leadLost);
        String version = BuildVersion.text();
        Files.createDirectories(options.stateDirectory());
        PrometheusRegistry registry = new PrometheusRegistry();
        ProcessMetrics.register(registry, "operator", options.identity());
        OperatorMetrics metrics = new OperatorMetrics(registry, lead::isHeld);
        InstantSource clock = InstantSource.system();
        AuthorityKeeper authority = new AuthorityKeeper(client, options.namespace(), options.failPoint(), clock);
        OperatorIdentity identity = new OperatorIdentity(options.stateDirectory(), clock);
        dataPlane = new NodeControlPlane(() -> identity.tls(authority.authority()));
        view = new InformerView(client, options.namespace());
        metrics.observe(view, registry);
        EventSink events = new KubernetesEvents(client, clock);
        Reconcilers.OfVolumes volumes = new Reconcilers.OfVolumes(new VolumeControl(
                new VolumeControl.Surroundings(
                        new KubernetesVolumes(client),
                        view,
                        dataPlane,
                        new KubernetesTombstones(client),
                        events,
                        options.failPoint(),
                        clock),
                new VolumePlanner(UUID::randomUUID)));
        Reconcilers.OfNodes nodes =
                new Reconcilers.OfNodes(new StorageNodeControl(client, view, dataPlane, options.failPoint(), clock));
        Reconcilers.OfPools pools =
                new Reconcilers.OfPools(new StoragePoolControl(client, view, events, options.failPoint(), clock));
        Reconcilers.OfClusters clusters = new Reconcilers.OfClusters(new StorageClusterControl(
                new StorageClusterControl.Surroundings(
                        client,
                        options.namespace(),
                        view,
                        authority,
                        new RolloutControl(client, options.namespace(), view, dataPlane, options.failPoint()),
                        options.failPoint(),
                        clock),
                version,
                metrics::health));
        Wakening wakening = new Wakening(view, volumes, nodes, pools, clusters);
        view.listen(wakening);
        survey = new Survey(
                dataPlane, new ClusterStarter(client, view, options.failPoint()), view, wakening, lead::isHeld);
        framework = new io.javaoperatorsdk.operator.Operator(overrider -> configure(overrider, metrics));
        framework.register(volumes, o -> controller(o, "volume").withFinalizer(FINALIZER));
        framework.register(nodes, o -> controller(o, "storagenode").withFinalizer(FINALIZER));
        framework.register(pools, o -> controller(o, "storagepool").withFinalizer(FINALIZER));
        // Every change anywhere may matter to it.
        framework.register(clusters, o -> controller(o, "storagecluster")
                .withRateLimiter(new LinearRateLimiter(CLUSTER_LOOKS, 1)));
        framework.register(
                new Reconcilers.OfRequests(
                        new RequestControl(client, options.namespace(), options.failPoint(), clock), authority),
                o -> controller(o, "certificatesigningrequest")
                        .withGenericFilter(
                                r -> GabionApi.SIGNER_NAME.equals(r.getSpec().getSignerName())));
        http = HealthServer.start(
                new InetSocketAddress(options.httpAddress(), options.httpPort()), registry, Probe.FINE, this::obstacle);
    }

    /** Begins to work, or to wait for the lead. */
    void start() {
        if (!options.leaderElection()) {
            lead.take();
        }
        LOG.info(
                "operator {} of namespace {}: metrics and health on port {}",
                BuildVersion.text(),
                options.namespace(),
                http.port());
        framework.start();
    }

    private Optional<String> obstacle() {
        return view.hasSynced() ? Optional.empty() : Optional.of("the first lists of the API server are not complete");
    }

    private void configure(ConfigurationServiceOverrider overrider, OperatorMetrics metrics) {
        overrider
                .withKubernetesClient(client)
                .withCloseClientOnStop(false)
                // Its apply would send a finalizer in an object that lacks what the definitions require.
                .withUseSSAToPatchPrimaryResource(false)
                .withConcurrentReconciliationThreads(THREADS)
                .withReconciliationTerminationTimeout(STOP_PATIENCE)
                .withMetrics(metrics);
        if (options.leaderElection()) {
            overrider.withLeaderElectionConfiguration(lead.election());
        }
    }

    private static <R extends HasMetadata> ControllerConfigurationOverrider<R> controller(
            ControllerConfigurationOverrider<R> overrider, String name) {
        return overrider
                .withName(name)
                .withGenerationAware(false)
                .withReconciliationMaxInterval(LOOK_AT_ALL)
                .withFieldManager(LEASE)
                .withRetry(new GenericRetry()
                        .setInitialInterval(RETRY_FIRST_MILLIS)
                        .setIntervalMultiplier(RETRY_FACTOR)
                        .setMaxInterval(RETRY_LONGEST_MILLIS)
                        .withoutMaxAttempts());
    }

    int httpPort() {
        return http.port();
    }

    /** Whether this process acts now. */
    boolean isLeading() {
        return lead.isHeld();
    }

    @Override
    public void close() {
        lead.closing();
        framework.stop();
        if (options.leaderElection()) {
            lead.release();
        }
        survey.close();
        view.close();
        dataPlane.close();
        http.close();
    }

    public static void main(String[] arguments) {
        OperatorOptions options;
        try {
            options = OperatorOptions.parse(Arrays.asList(arguments), System.getenv());
        } catch (UsageException e) {
            System.err.println("gabion-operator: " + e.getMessage());
            System.err.println(OperatorOptions.USAGE);
            System.exit(USAGE_STATUS);
            return;
        }
        CountDownLatch end = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> awaitEnd(end, ended), "end"));
        int status = run(options, end);
        ended.countDown();
        if (status != 0) {
            System.exit(status);
        }
    }

    /** Returns the status of the process. */
    private static int run(OperatorOptions options, CountDownLatch end) {
        AtomicInteger status = new AtomicInteger();
        Runnable leadLost = () -> {
            status.set(1);
            end.countDown();
        };
        try (KubernetesClient client = new KubernetesClientBuilder().build();
                Operator operator = new Operator(options, client, leadLost)) {
            operator.start();
            end.await();
        } catch (KubernetesClientException e) {
            LOG.error("the API server refused or could not be reached: {}", e.getMessage());
            return 1;
        } catch (IOException | RuntimeException e) {
            LOG.error("the operator cannot run", e);
            return 1;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        return status.get();
    }

    /** The process ends when its last shutdown hook does: this one waits for an orderly end. */
    private static void awaitEnd(CountDownLatch end, CountDownLatch ended) {
        end.countDown();
        try {
            if (!ended.await(END_PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                LOG.warn("not everything ended within {} s", END_PATIENCE.toSeconds());
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
