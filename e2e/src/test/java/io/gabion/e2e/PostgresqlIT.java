package io.gabion.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** PostgreSQL under pgbench while everything below its volume is killed and deleted: it never sees an error, and its books balance. */
@Journey
@Tag("postgresql")
class PostgresqlIT {
    private static final Duration LOAD = Duration.ofSeconds(150);
    private static final Duration BETWEEN = Duration.ofSeconds(4);
    private static final Duration REDUNDANT = Duration.ofMinutes(2);
    private static final int SCALE = 10;
    private static final int CLIENTS = 4;
    /** Questions whether it is ready are refused like this while it recovers. */
    private static final String ERRORS =
            "\\b(ERROR|FATAL|PANIC): ++(?!the database system is (starting up|not yet accepting connections)).*";

    private enum Blow {
        LEADING_STORAGE_PROCESS_KILLED,
        STORAGE_POD_DELETED,
        AGENT_KILLED
    }

    @Test
    void pgbenchSeesNoErrorAndTheDatabaseIsWholeAfterwards(Workspace workspace) {
        Cluster cluster = workspace.cluster();
        String node = cluster.storageNodes().getFirst();
        Claim claim = workspace.claim("data", "gabion-replicated", "2Gi");
        Application server = new Application(claim, "postgresql", Images.of("postgresql"), 7001, 5432, Map.of());
        server.start(node);
        ClientPod client = ClientPod.start(workspace, "bench", Images.of("postgresql"));
        PgBench bench = PgBench.prepare(client, server.name(), SCALE, CLIENTS);
        bench.start(LOAD);
        Map<Blow, Integer> blows = strike(cluster, claim, node, bench);
        PgBench.Result result = finish(bench, server);
        System.out.printf("[gabion] postgresql: %s: %s%n", blows, result);
        assertThat(result.failed()).as("failed transactions").isZero();
        assertThat(result.committed()).isPositive();
        assertThat(blows).containsOnlyKeys(Blow.values());
        assertThat(server.restarts()).as("restarts of the server").isZero();
        assertThat(server.log()).doesNotContainPattern(ERRORS);
        requireLedger(server, result.committed());

        String elsewhere = cluster.storageNodes().getLast();
        server.place(elsewhere);
        server.kill();
        server.awaitReady(elsewhere);
        bench.awaitServer();
        requireLedger(server, result.committed());
        assertThat(server.run("pg_amcheck --all --heapallindexed --install-missing 2>&1"))
                .as("what pg_amcheck finds")
                .isEmpty();
        assertThat(server.log()).doesNotContainPattern(ERRORS);
        System.out.printf("[gabion] postgresql: killed, moved from %s to %s, pg_amcheck clean%n", node, elsewhere);
    }

    private static PgBench.Result finish(PgBench bench, Application server) {
        try {
            return bench.finish();
        } catch (AssertionError e) {
            System.out.println(server.log());
            throw e;
        }
    }

    /** One blow after the other while the load runs, each when the volume has all copies again. */
    private static Map<Blow, Integer> strike(Cluster cluster, Claim claim, String node, PgBench bench) {
        Map<Blow, Integer> blows = new EnumMap<>(Blow.class);
        for (int round = 0; !bench.hasEnded(); round++) {
            Blow blow = Blow.values()[round % Blow.values().length];
            switch (blow) {
                case LEADING_STORAGE_PROCESS_KILLED ->
                    cluster.killProcess(
                            Component.DATA_PLANE,
                            claim.volumeStatus().path("primaryNode").asText());
                case STORAGE_POD_DELETED ->
                    deletePod(
                            cluster,
                            cluster.storageNodes()
                                    .get(round
                                            / Blow.values().length
                                            % cluster.storageNodes().size()));
                case AGENT_KILLED -> cluster.killProcess(Component.AGENT, node);
            }
            blows.merge(blow, 1, Integer::sum);
            claim.awaitCopies(3, REDUNDANT);
            Waiting.pass(BETWEEN);
        }
        return blows;
    }

    private static void deletePod(Cluster cluster, String node) {
        String old = cluster.podOf(Component.DATA_PLANE, node);
        cluster.kubectl().run("delete", "pod", old, "-n", Cluster.GABION_NAMESPACE, "--wait=false");
        Waiting.until(
                "another storage pod on " + node,
                REDUNDANT,
                () -> cluster.pods(Component.DATA_PLANE).stream()
                        .anyMatch(pod -> pod.node().equals(node)
                                && pod.ready()
                                && !pod.name().equals(old)),
                () -> cluster.pods(Component.DATA_PLANE).toString());
    }

    /** Every transaction that pgbench calls committed is in the books once, and the books balance. */
    private static void requireLedger(Application server, long committed) {
        assertThat(server.run("psql -At -c 'select count(*) from pgbench_history' postgres"))
                .as("transactions in the ledger")
                .isEqualTo(Long.toString(committed));
        assertThat(server.run("""
                        psql -At postgres -c "select count(distinct total) from (
                          select sum(delta) as total from pgbench_history union all select sum(abalance) from pgbench_accounts
                          union all select sum(bbalance) from pgbench_branches union all select sum(tbalance) from pgbench_tellers) as totals"
                        """)).as("different totals").isEqualTo("1");
    }
}
