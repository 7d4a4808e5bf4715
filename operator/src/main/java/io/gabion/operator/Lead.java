package io.gabion.operator;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfiguration;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfigurationBuilder;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether this process acts. Two that both think so do no harm, because every effect is a compare-and-swap or can be repeated;
 * the Lease only keeps them from working against each other. Safe for any thread.
 */
final class Lead {
    private static final Logger LOG = LoggerFactory.getLogger(Lead.class);
    /**
     * A leader that dies with its node is followed after this and two retries at most; what waits for it (a deletion, a detached
     * volume) must be over within 30 s. Clocks of nodes may differ by the lease less the retries. The chart gives the sidecars of
     * the driver the same times.
     */
    private static final Duration LEASE_DURATION = Duration.ofSeconds(9);

    /** An API server that does not answer for so long takes the lead away; to lose it costs a restart and nothing else. */
    private static final Duration RENEW_DEADLINE = Duration.ofSeconds(6);

    private static final Duration RETRY_PERIOD = Duration.ofSeconds(1);

    private final KubernetesClient client;
    private final String namespace;
    private final String identity;
    private final Runnable lost;
    private volatile boolean held;
    private volatile boolean closing;

    /** @param lost called when the lead is lost although nobody gave it up */
    Lead(KubernetesClient client, String namespace, String identity, Runnable lost) {
        this.client = client;
        this.namespace = namespace;
        this.identity = identity;
        this.lost = lost;
    }

    boolean isHeld() {
        return held;
    }

    /** There is no election: this is the only process. */
    void take() {
        held = true;
    }

    LeaderElectionConfiguration election() {
        return LeaderElectionConfigurationBuilder.aLeaderElectionConfiguration(Operator.LEASE)
                .withLeaseNamespace(namespace)
                .withIdentity(identity)
                .withLeaseDuration(LEASE_DURATION)
                .withRenewDeadline(RENEW_DEADLINE)
                .withRetryPeriod(RETRY_PERIOD)
                .withExitOnStopLeading(false)
                .withLeaderCallbacks(
                        new LeaderCallbacks(this::take, this::stopped, leader -> LOG.info("{} leads", leader)))
                .build();
    }

    private void stopped() {
        held = false;
        if (!closing) {
            LOG.error("the lead was lost: the API server could not be reached in time, or another process took it");
            lost.run();
        }
    }

    /** From now on losing the lead is no surprise. */
    void closing() {
        closing = true;
        held = false;
    }

    /** Lets another process lead at once instead of when the Lease runs out. Only after this one has stopped to act. */
    void release() {
        try {
            Lease lease = client.leases()
                    .inNamespace(namespace)
                    .withName(Operator.LEASE)
                    .get();
            if (lease == null || !Optional.of(identity).equals(holder(lease))) {
                return;
            }
            lease.getSpec().setHolderIdentity("");
            client.resource(lease).lockResourceVersion().update();
        } catch (KubernetesClientException e) {
            LOG.info("the lead was not given up, it runs out: {}", e.getMessage());
        }
    }

    private static Optional<String> holder(Lease lease) {
        return Optional.ofNullable(lease.getSpec()).map(s -> s.getHolderIdentity());
    }
}
