package io.gabion.csi.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.csi.backend.BackendUnavailableException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All Volume objects in memory, by a watch that begins with the first question: for sums over all of them, which may lag a
 * little and must not cost a list of hundreds of objects each.
 */
final class VolumeCache implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(VolumeCache.class);
    private static final Duration FIRST_LIST_LIMIT = Duration.ofSeconds(10);

    private final KubernetesClient client;
    private @Nullable Watch watch;

    private record Watch(SharedIndexInformer<Volume> informer, CompletableFuture<Void> listed) {}

    VolumeCache(KubernetesClient client) {
        this.client = client;
    }

    /** Throws {@link BackendUnavailableException} when the first list is not there in time. */
    List<Volume> all() {
        Watch current = watch();
        try {
            current.listed().get(FIRST_LIST_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
            return current.informer().getIndexer().list();
        } catch (TimeoutException | ExecutionException e) {
            throw new BackendUnavailableException("the volumes are not listed yet", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BackendUnavailableException("interrupted", e);
        }
    }

    private synchronized Watch watch() {
        Watch current = watch;
        if (current == null) {
            SharedIndexInformer<Volume> informer =
                    client.resources(Volume.class).runnableInformer(0);
            // For ever: an API server that is away comes back.
            informer.exceptionHandler((started, failure) -> {
                LOG.warn("watching volumes: {}", failure.toString());
                return true;
            });
            current = new Watch(informer, informer.start().toCompletableFuture());
            watch = current;
        }
        return current;
    }

    @Override
    public synchronized void close() {
        Watch current = watch;
        if (current != null) {
            current.informer().close();
        }
    }
}
