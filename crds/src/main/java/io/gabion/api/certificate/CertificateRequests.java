package io.gabion.api.certificate;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequest;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestBuilder;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestCondition;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gabion.api.time.Pause;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.model.ClusterId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Certificates of a component by CertificateSigningRequest: the key is made in this process and never leaves its directory; the
 * operator approves and signs when the request comes from the right service account on the right node.
 */
public final class CertificateRequests {
    private static final Logger LOG = LoggerFactory.getLogger(CertificateRequests.class);
    /** What is asked for; the signer may shorten it. */
    static final Duration LIFE = Duration.ofDays(7);

    private static final Duration POLL = Duration.ofMillis(500);
    private static final Duration RETRY = Duration.ofSeconds(5);
    /** One line while nobody signs. */
    private static final Duration LOG_EVERY = Duration.ofSeconds(30);
    /** A request that nobody looked at for so long is made anew. */
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    /** How often a running process looks for new certificate authorities. */
    private static final Duration LOOK_EVERY = Duration.ofMinutes(5);

    private static final List<String> USAGES = List.of("digital signature", "client auth", "server auth");
    private static final int SUFFIX_BYTES = 5;
    /** Of a name of an object. */
    private static final int MAX_NAME = 253;

    private final KubernetesClient client;
    private final String namespace;
    private final Identity identity;
    private final CertificateFiles files;
    private final InstantSource clock;
    private final Pause pause;

    private CertificateRequests(
            KubernetesClient client,
            String namespace,
            Identity identity,
            CertificateFiles files,
            InstantSource clock,
            Pause pause) {
        this.client = client;
        this.namespace = namespace;
        this.identity = identity;
        this.files = files;
        this.clock = clock;
        this.pause = pause;
    }

    /** The namespace is that of the environment variable {@code POD_NAMESPACE}, or the usual one. */
    public static CertificateRequests of(KubernetesClient client, Identity identity, Path directory) {
        String namespace = Objects.requireNonNullElse(System.getenv("POD_NAMESPACE"), GabionApi.NAMESPACE);
        return new CertificateRequests(
                client, namespace, identity, CertificateFiles.in(directory), InstantSource.system(), Pause.REAL);
    }

    /**
     * The files of a valid certificate for {@code spiffe://CLUSTER/ROLE/NAME}; those that are there already are used while they
     * are fresh. Waits for the signer as long as it takes. Throws {@link IOException} when the request was denied or the
     * directory cannot be written.
     */
    public static CertificateFiles obtain(
            KubernetesClient client, ClusterId cluster, String role, String name, Path directory)
            throws IOException, InterruptedException {
        return of(client, new Identity(cluster, role, name), directory).obtain();
    }

    /** As {@link #obtain(KubernetesClient, ClusterId, String, String, Path)}. */
    public CertificateFiles obtain() throws IOException, InterruptedException {
        if (isFresh()) {
            return files;
        }
        request();
        return files;
    }

    private boolean isFresh() {
        Optional<Instant> renewAt = files.renewAt(identity);
        return renewAt.isPresent() && clock.instant().isBefore(renewAt.get());
    }

    /**
     * Renews for ever in a thread of its own, at two thirds of each certificate's life, and follows changes of the trusted
     * authorities.
     *
     * @param renewed called after the files changed
     * @return ends it when interrupted
     */
    public Thread keepFresh(Runnable renewed) {
        return Thread.ofVirtual().name("gabion-certificates").start(() -> {
            while (!Thread.currentThread().isInterrupted()) {
                try {
                    pause.last(LOOK_EVERY);
                    if (look()) {
                        renewed.run();
                    }
                } catch (InterruptedException e) {
                    return;
                } catch (IOException | RuntimeException e) {
                    LOG.warn("the certificate of {} was not renewed yet: {}", identity.uri(), e.getMessage());
                }
            }
        });
    }

    private boolean look() throws IOException, InterruptedException {
        if (!isFresh()) {
            request();
            return true;
        }
        Optional<String> authorities = authorities();
        return authorities.isPresent() && files.writeCa(authorities.get());
    }

    // ---- one request
    private void request() throws IOException, InterruptedException {
        SigningRequest made = SigningRequest.create(identity);
        Instant loggedAt = Instant.MIN;
        while (true) {
            try {
                Optional<String> authorities = authorities();
                if (authorities.isPresent()) {
                    String certificate = await(submit(made));
                    check(certificate, made, authorities.get());
                    files.write(certificate, made.keyPem(), authorities.get());
                    LOG.info("certificate of {} obtained", identity.uri());
                    return;
                }
                loggedAt = say(
                        loggedAt,
                        "there is no ConfigMap " + namespace + "/" + GabionApi.CA_CONFIG_MAP + " with "
                                + GabionApi.CA_CONFIG_MAP_KEY + " yet; the operator makes it");
            } catch (KubernetesClientException e) {
                loggedAt = say(loggedAt, "the API server does not help: " + e.getMessage());
            }
            pause.last(RETRY);
        }
    }

    private Instant say(Instant loggedAt, String what) {
        Instant now = clock.instant();
        if (loggedAt.equals(Instant.MIN) || now.isAfter(loggedAt.plus(LOG_EVERY))) {
            LOG.warn("waiting for the certificate of {}: {}", identity.uri(), what);
            return now;
        }
        return loggedAt;
    }

    private Optional<String> authorities() {
        ConfigMap found = client.configMaps()
                .inNamespace(namespace)
                .withName(GabionApi.CA_CONFIG_MAP)
                .get();
        if (found == null || found.getData() == null) {
            return Optional.empty();
        }
        return Optional.ofNullable(found.getData().get(GabionApi.CA_CONFIG_MAP_KEY));
    }

    private String submit(SigningRequest made) {
        byte[] random = new byte[SUFFIX_BYTES];
        ThreadLocalRandom.current().nextBytes(random);
        String suffix = "-" + HexFormat.of().formatHex(random);
        String prefix = "gabion-" + identity.role() + "-" + identity.name();
        String name = prefix.substring(0, Math.min(prefix.length(), MAX_NAME - suffix.length())) + suffix;
        client.certificates()
                .v1()
                .certificateSigningRequests()
                .resource(new CertificateSigningRequestBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .endMetadata()
                        .withNewSpec()
                        .withSignerName(GabionApi.SIGNER_NAME)
                        .withRequest(Base64.getEncoder()
                                .encodeToString(made.requestPem().getBytes(StandardCharsets.US_ASCII)))
                        .withUsages(USAGES)
                        .withExpirationSeconds(Math.toIntExact(LIFE.toSeconds()))
                        .endSpec()
                        .build())
                .create();
        return name;
    }

    private String await(String name) throws IOException, InterruptedException {
        Instant until = clock.instant().plus(PATIENCE);
        Instant loggedAt = clock.instant();
        while (clock.instant().isBefore(until)) {
            CertificateSigningRequest found = client.certificates()
                    .v1()
                    .certificateSigningRequests()
                    .withName(name)
                    .get();
            if (found == null) {
                throw new KubernetesClientException("the CertificateSigningRequest " + name + " vanished");
            }
            if (found.getStatus() != null) {
                refuseIfDenied(name, found.getStatus().getConditions());
                String certificate = found.getStatus().getCertificate();
                if (certificate != null && !certificate.isEmpty()) {
                    return new String(Base64.getDecoder().decode(certificate), StandardCharsets.US_ASCII);
                }
            }
            loggedAt = say(loggedAt, "the operator has not signed the CertificateSigningRequest " + name + " yet");
            pause.last(POLL);
        }
        throw new KubernetesClientException("nobody signed the CertificateSigningRequest " + name);
    }

    private static void refuseIfDenied(String name, List<CertificateSigningRequestCondition> conditions)
            throws IOException {
        for (CertificateSigningRequestCondition condition :
                conditions == null ? List.<CertificateSigningRequestCondition>of() : conditions) {
            if ("Denied".equals(condition.getType()) || "Failed".equals(condition.getType())) {
                throw new IOException("the CertificateSigningRequest " + name + " was refused: " + condition.getReason()
                        + ": " + condition.getMessage());
            }
        }
    }

    private void check(String pem, SigningRequest made, String authorities) throws IOException {
        try {
            X509Certificate leaf = CertificateFiles.certificates(pem).getFirst();
            if (!Arrays.equals(leaf.getPublicKey().getEncoded(), made.publicKey())) {
                throw new IOException("the signer returned a certificate for another key");
            }
            if (!CertificateFiles.uris(leaf).equals(List.of(identity.uri()))) {
                throw new IOException("the signer returned a certificate for " + CertificateFiles.uris(leaf)
                        + " instead of " + identity.uri());
            }
            if (!CertificateFiles.isSignedBy(leaf, CertificateFiles.certificates(authorities))) {
                throw new IOException("the signer's certificate is not in the ConfigMap " + namespace + "/"
                        + GabionApi.CA_CONFIG_MAP);
            }
        } catch (CertificateException e) {
            throw new IOException("the signer returned no certificate: " + e.getMessage(), e);
        }
    }
}
