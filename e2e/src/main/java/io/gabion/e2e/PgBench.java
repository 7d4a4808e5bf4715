package io.gabion.e2e;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** pgbench in a pod of its own against a server; it counts what was committed. */
public final class PgBench {
    private static final Duration PREPARED = Duration.ofMinutes(5);
    private static final Duration ENDS_LATE = Duration.ofMinutes(3);
    private static final Pattern PROCESSED = Pattern.compile("number of transactions actually processed: (\\d+)");
    private static final Pattern FAILED = Pattern.compile("number of failed transactions: (\\d+)");

    private final ClientPod client;
    private final String server;
    private final int clients;

    private PgBench(ClientPod client, String server, int clients) {
        this.client = client;
        this.server = server;
        this.clients = clients;
    }

    /**
     * What pgbench says at its end.
     *
     * @param longestMillis the transaction that took longest
     */
    public record Result(long committed, long failed, long longestMillis) {}

    /** Makes the tables and fills them. */
    public static PgBench prepare(ClientPod client, String server, int scale, int clients) {
        PgBench bench = new PgBench(client, server, clients);
        bench.awaitServer();
        bench.begin("--initialize --quiet --scale=" + scale);
        Waiting.until("pgbench fills its tables", PREPARED, bench::hasEnded, bench::lastLines);
        bench.requireSuccess();
        return bench;
    }

    /** Waits until the server takes connections: it listens before that. */
    public void awaitServer() {
        Waiting.until(
                server + " takes connections",
                PREPARED,
                () -> client.attempt("pg_isready --quiet --host=" + server).succeeded(),
                this::lastLines);
    }

    /** Starts transactions in the background. */
    public void start(Duration time) {
        begin("--time=" + time.toSeconds() + " --client=" + clients
                + " --progress=10 --log --log-prefix=/tmp/transactions");
    }

    private void begin(String options) {
        client.run("""
                rm -f /tmp/pgbench.* /tmp/transactions.*
                cat > /tmp/pgbench.sh <<'SCRIPT'
                pgbench --host=%s %s postgres > /tmp/pgbench.log 2>&1
                echo $? > /tmp/pgbench.ended
                SCRIPT
                setsid sh /tmp/pgbench.sh > /dev/null 2>&1 < /dev/null &
                """.formatted(server, options));
    }

    public boolean hasEnded() {
        return !client.run("cat /tmp/pgbench.ended 2>/dev/null || true").isEmpty();
    }

    /** Waits for the end of the last {@link #start} and fails at any error. */
    public Result finish() {
        Waiting.until("pgbench ends", ENDS_LATE, this::hasEnded, this::lastLines);
        requireSuccess();
        String log = client.run("cat /tmp/pgbench.log");
        // The third column of its log is the time of a transaction in microseconds.
        String longest =
                client.run("cat /tmp/transactions.* | awk '$3 > longest { longest = $3 } END { print longest + 0 }'");
        return new Result(number(PROCESSED, log), number(FAILED, log), Long.parseLong(longest) / 1000);
    }

    private void requireSuccess() {
        String exit = client.run("cat /tmp/pgbench.ended");
        if (!exit.equals("0")) {
            throw new AssertionError("pgbench ended with " + exit + ": " + lastLines());
        }
    }

    private String lastLines() {
        return client.run("tail -n 30 /tmp/pgbench.log 2>/dev/null || true");
    }

    private static long number(Pattern pattern, String log) {
        Matcher matcher = pattern.matcher(log);
        if (!matcher.find()) {
            throw new AssertionError("no '" + pattern + "' in: " + log);
        }
        return Long.parseLong(matcher.group(1));
    }
}
