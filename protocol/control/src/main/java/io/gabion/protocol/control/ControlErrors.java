package io.gabion.protocol.control;

import io.grpc.Status;
import java.security.cert.CertificateException;
import javax.net.ssl.SSLException;

/** One line for people out of a failed call. */
public final class ControlErrors {
    private ControlErrors() {}

    /**
     * Says in one line why a call to {@code peer} failed and, where it is known, what to do.
     *
     * @param peer whom was called, for people: "configuration store 127.0.0.1:7400"
     */
    public static String describe(String peer, Throwable failure) {
        Status status = Status.fromThrowable(failure);
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateException) {
                return peer + ": certificate refused: " + cause.getMessage();
            }
        }
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SSLException) {
                return peer + ": TLS failed: " + cause.getMessage()
                        + " (are both certificates of the same cluster and not expired?)";
            }
        }
        return switch (status.getCode()) {
            case UNAVAILABLE -> peer + " cannot be reached: " + rootMessage(failure) + " (is it running there?)";
            case DEADLINE_EXCEEDED -> peer + " did not answer in time (it may be stopped, overloaded or cut off)";
            case UNIMPLEMENTED -> peer + " does not know this call: it runs another version";
            case OK,
                    CANCELLED,
                    UNKNOWN,
                    INVALID_ARGUMENT,
                    NOT_FOUND,
                    ALREADY_EXISTS,
                    PERMISSION_DENIED,
                    RESOURCE_EXHAUSTED,
                    FAILED_PRECONDITION,
                    ABORTED,
                    OUT_OF_RANGE,
                    INTERNAL,
                    DATA_LOSS,
                    UNAUTHENTICATED -> peer + ": " + text(status);
        };
    }

    private static String text(Status status) {
        String description = status.getDescription();
        return description == null ? status.getCode().toString() : description.replace('\n', ' ');
    }

    private static String rootMessage(Throwable failure) {
        Throwable last = failure;
        while (last.getCause() != null) {
            last = last.getCause();
        }
        String message = last.getMessage();
        return message == null ? last.getClass().getSimpleName() : message.replace('\n', ' ');
    }
}
