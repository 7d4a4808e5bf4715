package io.gabion.node.kubernetes;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.http.HttpClient;
import java.net.HttpURLConnection;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Calls of the API server on threads of their own, bounded in time and never repeated behind our back. */
final class ApiCalls implements AutoCloseable {
    /** Long for a busy API server, short for a volume whose writes wait. */
    private static final int REQUEST_MILLIS = 3_000;

    private static final int CONNECT_MILLIS = 2_000;
    /** A watch that broke is opened again after this time, later after two, four, eight times as much. */
    private static final int RECONNECT_MILLIS = 500;

    /** Requests under way at once; the others wait, at most as long as a request may take. */
    static final int MOST_AT_ONCE = 32;

    private static final int UNPROCESSABLE = 422;
    /** The API server looked at the request and did nothing. */
    private static final Set<Integer> REFUSALS = Set.of(
            HttpURLConnection.HTTP_BAD_REQUEST,
            HttpURLConnection.HTTP_UNAUTHORIZED,
            HttpURLConnection.HTTP_FORBIDDEN,
            HttpURLConnection.HTTP_NOT_FOUND,
            HttpURLConnection.HTTP_CONFLICT,
            UNPROCESSABLE);

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Semaphore permits = new Semaphore(MOST_AT_ONCE, true);
    private volatile boolean reachable;

    /** In a pod as its service account; else as the environment variable {@code KUBECONFIG} says. */
    static KubernetesClient connect() {
        return connect(Config.autoConfigure(null));
    }

    /** With our bounds in place of those of {@code config}. */
    static KubernetesClient connect(Config config) {
        config.setRequestTimeout(REQUEST_MILLIS);
        config.setConnectionTimeout(CONNECT_MILLIS);
        // A repeated patch would hide which of the two was done: we decide when to ask again.
        config.setRequestRetryBackoffLimit(0);
        config.setWatchReconnectInterval(RECONNECT_MILLIS);
        config.setUserAgent("gabion-data-plane");
        return new KubernetesClientBuilder()
                .withConfig(config)
                // A request that times out takes its connection with it; over HTTP/2 all later ones would go the same
                // dead
                // way, for as long as TCP tries.
                .withHttpClientBuilderConsumer(HttpClient.Builder::preferHttp11)
                .build();
    }

    boolean reachable() {
        return reachable;
    }

    /** Blocks. Every failure is a {@link KubernetesClientException}. */
    <T> T call(Supplier<T> request) {
        enter();
        try {
            T answer = request.get();
            reachable = true;
            return answer;
        } catch (KubernetesClientException e) {
            reachable = REFUSALS.contains(e.getCode());
            throw e;
        } catch (RuntimeException e) {
            // Nobody gets no answer at all because the client library failed in an unexpected way.
            reachable = false;
            throw new KubernetesClientException("request of the API server failed: " + e, e);
        } finally {
            permits.release();
        }
    }

    private void enter() {
        try {
            if (!permits.tryAcquire(REQUEST_MILLIS, TimeUnit.MILLISECONDS)) {
                throw new KubernetesClientException("not asked: " + MOST_AT_ONCE + " requests are under way already");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KubernetesClientException("not asked: the process ends", e);
        }
    }

    /** True when the request certainly changed nothing. */
    static boolean isRefusal(KubernetesClientException e) {
        return REFUSALS.contains(e.getCode());
    }

    static boolean isForbidden(KubernetesClientException e) {
        return e.getCode() == HttpURLConnection.HTTP_FORBIDDEN;
    }

    /** The API server names no cause when a test of a JSON patch fails; for a broken rule it does. */
    private static boolean isFailedTest(KubernetesClientException e) {
        return e.getCode() == UNPROCESSABLE
                && e.getStatus() != null
                && (e.getStatus().getDetails() == null
                        || e.getStatus().getDetails().getCauses().isEmpty());
    }

    static String describe(KubernetesClientException e) {
        if (isFailedTest(e)) {
            return "API server: somebody else changed the object meanwhile";
        }
        if (e.getStatus() != null && e.getStatus().getMessage() != null) {
            return "API server: " + e.getStatus().getMessage();
        }
        Throwable cause = e.getCause() == null ? e : e.getCause();
        return "API server: " + cause.getMessage();
    }

    /** Runs something that may block; {@code otherwise} when the process ends. */
    void run(Runnable task, Runnable otherwise) {
        try {
            threads.execute(task);
        } catch (RejectedExecutionException e) {
            otherwise.run();
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
