package io.gabion.operator.certificate;

import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequest;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestCondition;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Requests of our components that did not become certificates: whoever asks in vain goes on with the certificate it has until that
 * ends. Pure.
 */
public final class OpenRequests {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private OpenRequests() {}

    /**
     * A request without a certificate.
     *
     * @param why for people
     */
    public record OpenRequest(String name, String why) {}

    /** Requests of service accounts of {@code namespace} only: what others ask for in vain is no business of ours. */
    public static List<OpenRequest> of(Collection<CertificateSigningRequest> requests, String namespace, Instant now) {
        String prefix = "system:serviceaccount:" + namespace + ":";
        return requests.stream()
                .filter(r -> r.getSpec().getUsername() != null
                        && r.getSpec().getUsername().startsWith(prefix))
                .flatMap(r -> why(r, now).stream()
                        .map(why -> new OpenRequest(r.getMetadata().getName(), why)))
                .toList();
    }

    private static Optional<String> why(CertificateSigningRequest request, Instant now) {
        if (request.getStatus() != null) {
            String certificate = request.getStatus().getCertificate();
            if (certificate != null && !certificate.isEmpty()) {
                return Optional.empty();
            }
            Optional<String> refused = request.getStatus().getConditions().stream()
                    .filter(c -> "Denied".equals(c.getType()) || "Failed".equals(c.getType()))
                    .map(OpenRequests::refusal)
                    .findFirst();
            if (refused.isPresent()) {
                return refused;
            }
        }
        Instant made = Instant.parse(request.getMetadata().getCreationTimestamp());
        return made.plus(PATIENCE).isBefore(now)
                ? Optional.of(
                        "nobody answered the request of " + request.getSpec().getUsername() + " since " + made)
                : Optional.empty();
    }

    private static String refusal(CertificateSigningRequestCondition condition) {
        return "the request was refused: " + condition.getMessage();
    }
}
