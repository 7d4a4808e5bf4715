package io.gabion.node.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ApiCallsTest {
    @Test
    void requestsUnderWayAreBoundedAndTheOthersFollow() throws Exception {
        AtomicInteger underWay = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        CountDownLatch full = new CountDownLatch(ApiCalls.MOST_AT_ONCE);
        CountDownLatch go = new CountDownLatch(1);
        int requests = 3 * ApiCalls.MOST_AT_ONCE;
        CountDownLatch done = new CountDownLatch(requests);
        try (ApiCalls calls = new ApiCalls()) {
            for (int i = 0; i < requests; i++) {
                calls.run(
                        () -> {
                            calls.call(() -> {
                                most.accumulateAndGet(underWay.incrementAndGet(), Math::max);
                                full.countDown();
                                awaitQuietly(go);
                                return underWay.decrementAndGet();
                            });
                            done.countDown();
                        },
                        () -> {});
            }
            assertThat(full.await(20, TimeUnit.SECONDS)).isTrue();
            go.countDown();
            assertThat(done.await(20, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(most.get()).isEqualTo(ApiCalls.MOST_AT_ONCE);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void anUnexpectedFailureOfTheClientIsAFailureLikeOthers() {
        try (ApiCalls calls = new ApiCalls()) {
            assertThatThrownBy(() -> calls.call(() -> {
                        throw new IllegalStateException("Client already closed");
                    }))
                    .isInstanceOfSatisfying(KubernetesClientException.class, e -> assertThat(ApiCalls.isRefusal(e))
                            .isFalse());
            assertThat(calls.reachable()).isFalse();
        }
    }

    @Test
    void aServerThatRefusesIsReachable() {
        KubernetesClientException forbidden =
                new KubernetesClientException("no", HttpURLConnection.HTTP_FORBIDDEN, null);
        try (ApiCalls calls = new ApiCalls()) {
            assertThatThrownBy(() -> calls.call(() -> {
                        throw forbidden;
                    }))
                    .isSameAs(forbidden);
            assertThat(calls.reachable()).isTrue();
        }
        assertThat(ApiCalls.isRefusal(forbidden)).isTrue();
        assertThat(ApiCalls.isRefusal(
                        new KubernetesClientException("late", HttpURLConnection.HTTP_GATEWAY_TIMEOUT, null)))
                .isFalse();
    }
}
