package io.gabion.csi.rpc;

import static java.util.Objects.requireNonNull;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/** A call that ends with a status of the specification; the message is for people and reaches the events of claim and pod. */
public final class CsiFailure extends RuntimeException {
    private final Status.Code code;

    private CsiFailure(Status.Code code, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.code = requireNonNull(code, "code is null");
    }

    public Status.Code code() {
        return code;
    }

    /** A field is missing or holds what it may not. */
    public static CsiFailure invalid(String message) {
        return new CsiFailure(Status.Code.INVALID_ARGUMENT, message, null);
    }

    public static CsiFailure missing(String field) {
        return invalid(field + " is missing");
    }

    public static CsiFailure notFound(String message) {
        return new CsiFailure(Status.Code.NOT_FOUND, message, null);
    }

    public static CsiFailure alreadyExists(String message) {
        return new CsiFailure(Status.Code.ALREADY_EXISTS, message, null);
    }

    /** The state of the volume does not allow it; the message says what to do first. */
    public static CsiFailure precondition(String message) {
        return new CsiFailure(Status.Code.FAILED_PRECONDITION, message, null);
    }

    public static CsiFailure exhausted(String message) {
        return new CsiFailure(Status.Code.RESOURCE_EXHAUSTED, message, null);
    }

    public static CsiFailure outOfRange(String message) {
        return new CsiFailure(Status.Code.OUT_OF_RANGE, message, null);
    }

    /** Another call holds the volume, or a token is not one of ours. */
    public static CsiFailure aborted(String message) {
        return new CsiFailure(Status.Code.ABORTED, message, null);
    }

    /** Under way, but not done before the caller's deadline; the same call continues it. */
    public static CsiFailure tooLate(String message) {
        return new CsiFailure(Status.Code.DEADLINE_EXCEEDED, message, null);
    }

    public static CsiFailure unavailable(String message, @Nullable Throwable cause) {
        return new CsiFailure(Status.Code.UNAVAILABLE, message, cause);
    }

    public static CsiFailure unimplemented(String message) {
        return new CsiFailure(Status.Code.UNIMPLEMENTED, message, null);
    }

    public static CsiFailure internal(String message, @Nullable Throwable cause) {
        return new CsiFailure(Status.Code.INTERNAL, message, cause);
    }
}
