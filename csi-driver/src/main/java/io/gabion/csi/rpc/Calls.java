package io.gabion.csi.rpc;

import io.gabion.csi.backend.BackendUnavailableException;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers one call: the only place where outcomes become gRPC codes. An answer is whole or it is an error, never both. */
public final class Calls {
    private static final Logger LOG = LoggerFactory.getLogger(Calls.class);
    /** For callers that set no deadline; the sidecars' own are 10 s to 2 min. */
    private static final Duration DEFAULT_LIMIT = Duration.ofSeconds(30);
    /** Left of the caller's deadline for telling it why it has to come again. */
    private static final Duration ANSWER_TIME = Duration.ofMillis(500);

    private static final Duration SHORTEST = Duration.ofMillis(50);
    /** The specification bounds no error message; gRPC's trailers do. */
    private static final int MAX_MESSAGE_CHARACTERS = 2000;

    private Calls() {}

    /** Runs the call on this thread and answers. */
    public static <T> void answer(StreamObserver<T> observer, Supplier<T> call) {
        T response;
        try {
            response = call.get();
        } catch (CsiFailure e) {
            refuse(observer, e.code(), String.valueOf(e.getMessage()), e.getCause());
            return;
        } catch (BackendUnavailableException e) {
            refuse(observer, Status.Code.UNAVAILABLE, String.valueOf(e.getMessage()), e.getCause());
            return;
        } catch (RuntimeException e) {
            LOG.error("a call failed in a way that was not foreseen", e);
            refuse(observer, Status.Code.INTERNAL, "internal error of the driver: " + e, null);
            return;
        }
        observer.onNext(response);
        observer.onCompleted();
    }

    private static <T> void refuse(
            StreamObserver<T> observer, Status.Code code, String message, @Nullable Throwable cause) {
        String text = message.length() <= MAX_MESSAGE_CHARACTERS
                ? message
                : message.substring(0, MAX_MESSAGE_CHARACTERS - 1) + "…";
        Status status = code.toStatus().withDescription(text);
        observer.onError((cause == null ? status : status.withCause(cause)).asRuntimeException());
    }

    /** How long this call may wait: a little less than its caller does. */
    public static Duration timeLeft() {
        @Nullable Deadline deadline = Context.current().getDeadline();
        if (deadline == null) {
            return DEFAULT_LIMIT;
        }
        Duration left =
                Duration.ofNanos(deadline.timeRemaining(TimeUnit.NANOSECONDS)).minus(ANSWER_TIME);
        return left.compareTo(SHORTEST) < 0 ? SHORTEST : left;
    }
}
