package io.gabion.node.configstore;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The one answer of a unary call: a value or a failure, exactly once. */
final class UnaryAnswer<T> implements StreamObserver<T> {
    private final Consumer<T> value;
    private final Consumer<Throwable> failure;
    private @Nullable T received;

    UnaryAnswer(Consumer<T> value, Consumer<Throwable> failure) {
        this.value = value;
        this.failure = failure;
    }

    @Override
    public void onNext(T message) {
        received = message;
    }

    @Override
    public void onError(Throwable error) {
        failure.accept(error);
    }

    @Override
    public void onCompleted() {
        T answer = received;
        if (answer == null) {
            failure.accept(Status.INTERNAL
                    .withDescription("the call ended without an answer")
                    .asRuntimeException());
            return;
        }
        value.accept(answer);
    }
}
