package io.gabion.operator.certificate;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.gabion.api.v1alpha1.DiskEntry;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.api.v1alpha1.StorageCluster;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.model.ClusterId;
import io.gabion.operator.failpoint.FailPoint;
import io.gabion.operator.failpoint.Step;
import java.net.HttpURLConnection;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the cluster's identity and authority once and keeps them published: Secret with the key (the truth), ConfigMap with the
 * public half, {@code status.clusterId} of the StorageCluster. Each is made from the one before, so a crash between them heals.
 */
public final class AuthorityKeeper {
    private static final Logger LOG = LoggerFactory.getLogger(AuthorityKeeper.class);
    /** Of the Secret. */
    public static final String SECRET = GabionApi.CA_CONFIG_MAP;

    private static final String CERTIFICATE = "ca.crt";
    private static final String KEY = "ca.key";
    private static final String CLUSTER = "cluster-id";

    private final KubernetesClient client;
    private final String namespace;
    private final FailPoint failPoint;
    private final InstantSource clock;
    private volatile Optional<CertificateAuthority> known = Optional.empty();

    public AuthorityKeeper(KubernetesClient client, String namespace, FailPoint failPoint, InstantSource clock) {
        this.client = client;
        this.namespace = namespace;
        this.failPoint = failPoint;
        this.clock = clock;
    }

    /** The authority once it was made or found. */
    public Optional<CertificateAuthority> authority() {
        return known;
    }

    /** Makes what is missing. Throws {@link IllegalStateException} that says what to do when what exists does not fit together. */
    public CertificateAuthority ensure(StorageCluster cluster, Collection<StorageNode> nodes) {
        // Asked each time: people replace a root step by step, by changing the Secret.
        CertificateAuthority found = findOrCreate(cluster, nodes);
        CertificateAuthority authority = known.filter(found::sameAs).orElse(found);
        String told = cluster.getStatus().getClusterId();
        if (told != null && !told.equals(authority.cluster().toString())) {
            throw new IllegalStateException("Secret " + SECRET + " belongs to the cluster " + authority.cluster()
                    + " but status.clusterId is " + told
                    + "; restore the Secret of that cluster, or delete the StorageCluster"
                    + " so that it is made anew for the Secret's");
        }
        publish(authority);
        if (told == null) {
            failPoint.around(Step.PUBLISH_CLUSTER_ID, () -> client.resource(cluster)
                    .subresource("status")
                    .patch(
                            PatchContext.of(PatchType.JSON_MERGE),
                            "{\"status\":{\"clusterId\":\"" + authority.cluster() + "\"}}"));
        }
        known = Optional.of(authority);
        return authority;
    }

    private CertificateAuthority findOrCreate(StorageCluster cluster, Collection<StorageNode> nodes) {
        Optional<CertificateAuthority> found = read();
        if (found.isPresent()) {
            return found.get();
        }
        CertificateAuthority made = CertificateAuthority.create(clusterId(cluster, nodes), clock.instant());
        Secret secret = new SecretBuilder()
                .withNewMetadata()
                .withName(SECRET)
                .withNamespace(namespace)
                .addToLabels("app.kubernetes.io/name", "gabion")
                .endMetadata()
                .withType("Opaque")
                .withData(Map.of(
                        CERTIFICATE, encoded(made.certificatesPem()),
                        KEY, encoded(made.keyPem()),
                        CLUSTER, encoded(made.cluster().toString())))
                .build();
        try {
            failPoint.around(
                    Step.CREATE_AUTHORITY, () -> client.resource(secret).create());
            LOG.info("authority of the cluster {} made", made.cluster());
            return made;
        } catch (KubernetesClientException e) {
            if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                throw e;
            }
            return read().orElseThrow(() -> new IllegalStateException("Secret " + SECRET + " comes and goes", e));
        }
    }

    /** The status survives an upgrade, the disks a new installation: whoever knows the identity first gives it. */
    private static ClusterId clusterId(StorageCluster cluster, Collection<StorageNode> nodes) {
        String told = cluster.getStatus().getClusterId();
        if (told != null) {
            return ClusterId.of(told);
        }
        List<String> ofDisks = nodes.stream()
                .flatMap(n -> n.getStatus().getDiskRecords().values().stream())
                .map(DiskEntry::getCluster)
                .distinct()
                .toList();
        return ofDisks.size() == 1 ? ClusterId.of(ofDisks.getFirst()) : new ClusterId(UUID.randomUUID());
    }

    private Optional<CertificateAuthority> read() {
        Secret secret = client.secrets().inNamespace(namespace).withName(SECRET).get();
        if (secret == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(CertificateAuthority.load(
                    ClusterId.of(decoded(secret, CLUSTER)), decoded(secret, CERTIFICATE), decoded(secret, KEY)));
        } catch (IllegalArgumentException e) {
            throw new IllegalStateException(
                    "Secret " + SECRET + " in namespace " + namespace + ": " + e.getMessage()
                            + "; restore it from a backup: every certificate of the cluster hangs on it",
                    e);
        }
    }

    private void publish(CertificateAuthority authority) {
        Map<String, String> wanted = Map.of(GabionApi.CA_CONFIG_MAP_KEY, authority.certificatesPem());
        ConfigMap standing = client.configMaps()
                .inNamespace(namespace)
                .withName(GabionApi.CA_CONFIG_MAP)
                .get();
        if (standing != null && wanted.equals(standing.getData())) {
            return;
        }
        ConfigMap next = new ConfigMapBuilder()
                .withNewMetadata()
                .withName(GabionApi.CA_CONFIG_MAP)
                .withNamespace(namespace)
                .addToLabels("app.kubernetes.io/name", "gabion")
                .endMetadata()
                .withData(wanted)
                .build();
        failPoint.around(Step.PUBLISH_AUTHORITY, () -> {
            if (standing == null) {
                client.resource(next).create();
            } else {
                client.resource(next).update();
            }
        });
    }

    private static String encoded(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String decoded(Secret secret, String key) {
        String value = secret.getData() == null ? null : secret.getData().get(key);
        if (value == null) {
            throw new IllegalArgumentException("the key " + key + " is missing");
        }
        return new String(Base64.getDecoder().decode(value), StandardCharsets.UTF_8);
    }
}
