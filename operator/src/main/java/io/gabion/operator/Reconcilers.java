package io.gabion.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequest;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.operator.certificate.AuthorityKeeper;
import io.gabion.operator.certificate.RequestControl;
import io.gabion.operator.cluster.StorageClusterControl;
import io.gabion.operator.node.StorageNodeControl;
import io.gabion.operator.pool.StoragePoolControl;
import io.gabion.operator.volume.VolumeControl;
import io.javaoperatorsdk.operator.api.reconciler.Cleaner;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.DeleteControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.inbound.SimpleInboundEventSource;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Between the framework, which queues and retries, and what is done for each kind. */
final class Reconcilers {
    private static final Duration UNTIL_FREE = Duration.ofSeconds(10);
    private static final Duration UNTIL_AUTHORITY = Duration.ofSeconds(1);

    private Reconcilers() {}

    /** A reconciler that can be woken from outside. */
    abstract static class Woken<P extends HasMetadata> implements Reconciler<P> {
        private final SimpleInboundEventSource<P> source = new SimpleInboundEventSource<>("surroundings");

        @Override
        public List<EventSource<?, P>> prepareEventSources(EventSourceContext<P> context) {
            return List.of(source);
        }

        /** Looks at the object again soon. Does nothing before the controllers run: then all objects are looked at anyway. */
        void wake(String name) {
            if (source.isRunning()) {
                source.propagateEvent(new ResourceID(name));
            }
        }

        UpdateControl<P> again(Optional<Duration> after) {
            UpdateControl<P> control = UpdateControl.noUpdate();
            after.ifPresent(d -> control.rescheduleAfter(d.toMillis()));
            return control;
        }
    }

    static final class OfVolumes extends Woken<Volume> implements Cleaner<Volume> {
        private final VolumeControl control;

        OfVolumes(VolumeControl control) {
            this.control = control;
        }

        @Override
        public UpdateControl<Volume> reconcile(Volume volume, Context<Volume> context) {
            return again(control.reconcile(volume).again());
        }

        @Override
        public DeleteControl cleanup(Volume volume, Context<Volume> context) {
            VolumeControl.Outcome outcome = control.reconcile(volume);
            if (outcome.forget()) {
                return DeleteControl.defaultDelete();
            }
            DeleteControl later = DeleteControl.noFinalizerRemoval();
            outcome.again().ifPresent(d -> later.rescheduleAfter(d.toMillis()));
            return later;
        }
    }

    static final class OfNodes extends Woken<StorageNode> implements Cleaner<StorageNode> {
        private final StorageNodeControl control;

        OfNodes(StorageNodeControl control) {
            this.control = control;
        }

        @Override
        public UpdateControl<StorageNode> reconcile(StorageNode node, Context<StorageNode> context) {
            return again(control.reconcile(node));
        }

        @Override
        public DeleteControl cleanup(StorageNode node, Context<StorageNode> context) {
            if (control.keptBy(node).isEmpty()) {
                return DeleteControl.defaultDelete();
            }
            // Until then it is a storage node like any other.
            var unused = control.reconcile(node);
            DeleteControl later = DeleteControl.noFinalizerRemoval();
            return later.rescheduleAfter(UNTIL_FREE.toMillis());
        }
    }

    static final class OfPools extends Woken<StoragePool> implements Cleaner<StoragePool> {
        private final StoragePoolControl control;

        OfPools(StoragePoolControl control) {
            this.control = control;
        }

        @Override
        public UpdateControl<StoragePool> reconcile(StoragePool pool, Context<StoragePool> context) {
            control.reconcile(pool);
            return UpdateControl.noUpdate();
        }

        @Override
        public DeleteControl cleanup(StoragePool pool, Context<StoragePool> context) {
            return control.mayGo(pool)
                    ? DeleteControl.defaultDelete()
                    : DeleteControl.noFinalizerRemoval().rescheduleAfter(UNTIL_FREE.toMillis());
        }
    }

    static final class OfClusters extends Woken<StorageCluster> {
        private final StorageClusterControl control;

        OfClusters(StorageClusterControl control) {
            this.control = control;
        }

        @Override
        public UpdateControl<StorageCluster> reconcile(StorageCluster cluster, Context<StorageCluster> context) {
            return again(Optional.of(control.reconcile(cluster)));
        }
    }

    static final class OfRequests implements Reconciler<CertificateSigningRequest> {
        private final RequestControl control;
        private final AuthorityKeeper authority;

        OfRequests(RequestControl control, AuthorityKeeper authority) {
            this.control = control;
            this.authority = authority;
        }

        @Override
        public UpdateControl<CertificateSigningRequest> reconcile(
                CertificateSigningRequest request, Context<CertificateSigningRequest> context) {
            UpdateControl<CertificateSigningRequest> done = UpdateControl.noUpdate();
            return control.answer(request, authority.authority())
                    ? done
                    : done.rescheduleAfter(UNTIL_AUTHORITY.toMillis());
        }
    }
}
