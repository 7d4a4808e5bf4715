package io.gabion.operator.cluster;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.api.v1alpha1.StorageClusterSpec;
import io.gabion.operator.failpoint.FailPoint;
import io.gabion.operator.failpoint.Step;
import io.gabion.operator.view.ClusterView;
import java.net.HttpURLConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes the StorageCluster when there is none: without it no component gets a certificate. */
public final class ClusterStarter {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterStarter.class);

    private final KubernetesClient client;
    private final ClusterView view;
    private final FailPoint failPoint;

    public ClusterStarter(KubernetesClient client, ClusterView view, FailPoint failPoint) {
        this.client = client;
        this.view = view;
        this.failPoint = failPoint;
    }

    public void look() {
        if (view.cluster().isPresent()) {
            return;
        }
        StorageCluster cluster = new StorageCluster();
        cluster.setMetadata(new ObjectMetaBuilder()
                .withName(StorageCluster.NAME)
                .addToLabels("app.kubernetes.io/name", "gabion")
                .build());
        cluster.setSpec(new StorageClusterSpec());
        try {
            failPoint.around(Step.CREATE_CLUSTER, () -> client.resource(cluster).create());
            LOG.info("StorageCluster {} made", StorageCluster.NAME);
        } catch (KubernetesClientException e) {
            if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                throw e;
            }
        }
    }
}
