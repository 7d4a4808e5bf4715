package io.gabion.node.control;

import io.gabion.model.VolumeId;
import io.gabion.node.control.NodeOperations.ReplicaFacts;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one place where outcomes of control calls become status codes. */
final class ControlAnswers {
    private static final Logger LOG = LoggerFactory.getLogger(ControlAnswers.class);

    private ControlAnswers() {}

    static ReplicaFacts one(NodeOperations node, VolumeId volume) {
        List<ReplicaFacts> found = node.replicas(Optional.of(volume));
        if (found.isEmpty()) {
            throw failure(
                    Status.NOT_FOUND,
                    "volume " + volume + " has no replica on node "
                            + node.facts().name());
        }
        return found.getFirst();
    }

    static VolumeId volume(String text) {
        try {
            return VolumeId.of(text);
        } catch (IllegalArgumentException e) {
            throw failure(Status.INVALID_ARGUMENT, "volume \"" + text + "\" is not a volume id");
        }
    }

    static StatusRuntimeException failure(Status status, String description) {
        return status.withDescription(description).asRuntimeException();
    }

    static <T> void answer(StreamObserver<T> observer, Supplier<T> work) {
        T value;
        try {
            value = work.get();
        } catch (StatusRuntimeException e) {
            observer.onError(e);
            return;
        } catch (RuntimeException e) {
            LOG.error("control call failed", e);
            observer.onError(failure(Status.INTERNAL, "the call failed; see the log of the node"));
            return;
        }
        observer.onNext(value);
        observer.onCompleted();
    }
}
