package io.gabion.operator;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.gabion.api.testing.RealApiServer;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.model.Attachment;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeRecord;
import io.gabion.operator.failpoint.FailPoint;
import io.gabion.operator.failpoint.Step;
import io.gabion.operator.fake.Objects;
import io.gabion.operator.real.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * The life of a cluster under operators that each die at the first step that none died at before, before or after it: dozens of
 * deaths, and everything ends as if there had been none.
 */
@Tag("kubernetes")
@Tag("long")
@Timeout(600)
@ExtendWith(RealApiServer.class)
class LeaderLossIT {
    private static final List<Step> STEPS_OF_THE_STORY = List.of(
            Step.LABEL_VOLUME,
            Step.UNLABEL_VOLUME,
            Step.CREATE_RECORD,
            Step.COPY_SPEC,
            Step.ADD_REPLICA,
            Step.REMOVE_REPLICA,
            Step.RETIRE_REPLICA,
            Step.MARK_DELETING,
            Step.BURY_REPLICA,
            Step.DROP_BURIED_REPLICA,
            Step.FORGET_VOLUME,
            Step.HAND_OVER,
            Step.CREATE_AUTHORITY,
            Step.PUBLISH_AUTHORITY,
            Step.PUBLISH_CLUSTER_ID,
            Step.CREATE_STORAGE_NODE,
            Step.RESOLVE_DISKS,
            Step.CLEAR_TOMBSTONE,
            Step.APPROVE_REQUEST,
            Step.SIGN_REQUEST,
            Step.REPORT_VOLUME,
            Step.REPORT_NODE,
            Step.REPORT_POOL,
            Step.REPORT_CLUSTER);

    private static final String NAME = "v1";
    private static final Duration UNDER_DEATHS = Duration.ofMinutes(2);

    private final KubernetesClient admin;
    private RealWorld w;
    private Succession succession;

    LeaderLossIT(KubernetesClient client) {
        this.admin = client;
    }

    /** What an operator does whose power is cut: nothing any more. */
    private static final class Dead extends RuntimeException {
        private static final long serialVersionUID = 1;

        Dead(String where) {
            super(where);
        }
    }

    /** Starts an operator after each one that died. */
    private final class Succession extends Thread {
        private final Set<String> deaths = new HashSet<>();
        private final Set<Step> seen = EnumSet.noneOf(Step.class);
        private final LinkedBlockingQueue<Boolean> died = new LinkedBlockingQueue<>();
        private volatile boolean ending;

        private FailPoint mortal() {
            AtomicBoolean dead = new AtomicBoolean();
            return (step, side) -> {
                String where = step + " " + side;
                synchronized (deaths) {
                    seen.add(step);
                    if (!dead.get() && deaths.add(where)) {
                        dead.set(true);
                        died.add(true);
                    }
                }
                if (dead.get()) {
                    throw new Dead(where);
                }
            };
        }

        @Override
        public void run() {
            try {
                while (!ending) {
                    RealWorld.Running operator = w.operator(mortal(), false);
                    while (!ending && died.poll(100, TimeUnit.MILLISECONDS) == null) {
                        // It lives.
                    }
                    w.stop(operator);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        int count() {
            synchronized (deaths) {
                return deaths.size();
            }
        }
    }

    @BeforeEach
    void start(@TempDir Path directory) {
        w = new RealWorld(admin, directory);
        succession = new Succession();
        succession.start();
    }

    @AfterEach
    void stop() throws InterruptedException {
        succession.ending = true;
        succession.join();
        w.close();
    }

    @Test
    void everythingEndsAsIfNoOperatorHadDied() throws Exception {
        w.pool("8s");
        for (String node : RealWorld.MACHINES) {
            w.nodes.start(node);
        }
        w.create(NAME, 3);
        settled(3);
        String identity = admin.resources(StorageCluster.class)
                .withName(StorageCluster.NAME)
                .get()
                .getStatus()
                .getClusterId();

        admin.resources(Volume.class).withName(NAME).scale(2);
        settled(2);
        attachElsewhere();
        admin.resources(Volume.class).withName(NAME).scale(3);
        settled(3);
        w.editSpec(NAME, "{\"size\":\"2Gi\"}");
        until("the new size", () -> w.record(NAME).config().sizeBytes() == 2 * Objects.GIB);

        loseAndDelete();

        assertThat(admin.resources(StorageCluster.class)
                        .withName(StorageCluster.NAME)
                        .get()
                        .getStatus()
                        .getClusterId())
                .isEqualTo(identity);
        System.out.println(succession.count() + " operators died, at " + succession.seen);
        assertThat(succession.seen).containsAll(STEPS_OF_THE_STORY);
    }

    private void loseAndDelete() throws IOException {
        String lost = follower();
        w.nodes.kill(lost);
        until(
                "the lost copy is replaced",
                () -> w.record(NAME).config().inSync().size() == 3
                        && w.volume(NAME).orElseThrow().getStatus().getRemoved().stream()
                                .anyMatch(r -> r.getNode().equals(lost)));
        w.nodes.start(lost);
        settled(3);
        assertThat(w.copies(NAME)).doesNotContain(lost);

        String absent = follower();
        w.nodes.kill(absent);
        detach();
        admin.resources(Volume.class).withName(NAME).delete();
        until("the volume is gone", () -> w.volume(NAME).isEmpty());
        assertThat(w.storageNode(absent).getSpec().getTombstones()).hasSize(1);
        w.nodes.start(absent);
        until(
                "the tombstone is gone",
                () -> w.storageNode(absent).getSpec().getTombstones().isEmpty());
    }

    private void settled(int copies) {
        w.settled(NAME, copies, UNDER_DEATHS);
    }

    private void until(String what, java.util.function.BooleanSupplier holds) {
        Await.until(what, UNDER_DEATHS, holds, () -> w.volume(NAME)
                .map(v -> admin.getKubernetesSerialization().asYaml(v)));
    }

    private String follower() {
        VolumeRecord record = w.record(NAME);
        NodeName leader = record.primaryNode().orElseThrow();
        return w.copies(NAME).stream()
                .filter(n -> !n.equals(leader.value()))
                .findFirst()
                .orElseThrow();
    }

    private void attachElsewhere() {
        String node = follower();
        w.nodes.change(
                NAME,
                r -> r.withConfig(r.config()
                        .withAttachments(
                                List.of(new Attachment(
                                        new NodeName(node), r.config().version(), false)),
                                r.config().sessionFloor(),
                                "csi/attach")));
        until("the lead follows the consumer", () -> w.record(NAME)
                .primaryNode()
                .filter(n -> n.value().equals(node))
                .isPresent());
    }

    private void detach() {
        w.nodes.change(
                NAME,
                r -> r.withConfig(
                        r.config().withAttachments(List.of(), r.config().sessionFloor(), "csi/detach")));
    }
}
