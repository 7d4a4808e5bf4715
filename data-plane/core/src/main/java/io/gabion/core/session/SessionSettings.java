package io.gabion.core.session;

import java.util.concurrent.TimeUnit;

/**
 * Times of the agent's session, in nanoseconds.
 *
 * @param retryFirstNanos first pause before a node that does not serve is asked again
 * @param retryMostNanos longest such pause
 * @param openAgainNanos an Open that is not answered for this long is sent again
 * @param silenceNanos a primary that answers nothing for this long while requests wait makes the session look around for
 *     another one, without leaving it
 */
public record SessionSettings(long retryFirstNanos, long retryMostNanos, long openAgainNanos, long silenceNanos) {
    /** Quick enough that a failover costs little more than the promotion, slow enough to be no load. */
    public static SessionSettings standard() {
        return new SessionSettings(
                TimeUnit.MILLISECONDS.toNanos(10),
                TimeUnit.MILLISECONDS.toNanos(200),
                TimeUnit.SECONDS.toNanos(5),
                TimeUnit.SECONDS.toNanos(2));
    }
}
