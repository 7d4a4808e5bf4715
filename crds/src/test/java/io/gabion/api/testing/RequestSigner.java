package io.gabion.api.testing;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequest;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestConditionBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.gabion.api.v1alpha1.GabionApi;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** The operator's part in a request for a certificate, played by a test that has an authority of its own. */
public record RequestSigner(KubernetesClient client) {
    private static final long PATIENCE_SECONDS = 60;
    private static final long STEP_MILLIS = 50;

    /** Says whom to trust, where all components look. */
    public void publish(String authorityPem) {
        client.resource(new NamespaceBuilder()
                        .withNewMetadata()
                        .withName(GabionApi.NAMESPACE)
                        .endMetadata()
                        .build())
                .createOr(existing -> existing.update());
        client.resource(new ConfigMapBuilder()
                        .withNewMetadata()
                        .withNamespace(GabionApi.NAMESPACE)
                        .withName(GabionApi.CA_CONFIG_MAP)
                        .endMetadata()
                        .addToData(GabionApi.CA_CONFIG_MAP_KEY, authorityPem)
                        .build())
                .createOr(existing -> existing.update());
    }

    /** Waits for a request of this role and name that nobody answered. */
    public CertificateSigningRequest next(String role, String name) {
        String prefix = "gabion-" + role + "-" + name;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (System.nanoTime() < deadline) {
            for (CertificateSigningRequest request : client.certificates()
                    .v1()
                    .certificateSigningRequests()
                    .list()
                    .getItems()) {
                if (request.getMetadata().getName().startsWith(prefix)
                        && request.getSpec().getSignerName().equals(GabionApi.SIGNER_NAME)
                        && request.getStatus().getConditions().isEmpty()) {
                    return request;
                }
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(STEP_MILLIS));
        }
        throw new AssertionError("no request of " + prefix);
    }

    /** What is to be signed. */
    public static String pem(CertificateSigningRequest request) {
        return new String(Base64.getDecoder().decode(request.getSpec().getRequest()), US_ASCII);
    }

    /** Approves the request and answers it. */
    public void answer(CertificateSigningRequest request, String certificatePem) {
        CertificateSigningRequest approved = client.certificates()
                .v1()
                .certificateSigningRequests()
                .withName(request.getMetadata().getName())
                .approve(new CertificateSigningRequestConditionBuilder()
                        .withType("Approved")
                        .withStatus("True")
                        .withReason("Test")
                        .withMessage("as the operator would")
                        .build());
        approved.getStatus().setCertificate(Base64.getEncoder().encodeToString(certificatePem.getBytes(US_ASCII)));
        client.resource(approved).updateStatus();
    }
}
