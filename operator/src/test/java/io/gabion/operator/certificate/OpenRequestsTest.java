package io.gabion.operator.certificate;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequest;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestBuilder;
import io.gabion.operator.certificate.OpenRequests.OpenRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class OpenRequestsTest {
    private static final Instant MADE = Instant.parse("2030-01-01T00:00:00Z");

    private static CertificateSigningRequestBuilder request(String user) {
        return new CertificateSigningRequestBuilder()
                .withNewMetadata()
                .withName("gabion-node-a-1")
                .withCreationTimestamp(MADE.toString())
                .endMetadata()
                .withNewSpec()
                .withUsername(user)
                .endSpec();
    }

    private static List<OpenRequest> open(CertificateSigningRequest request, Duration later) {
        return OpenRequests.of(List.of(request), "gabion-system", MADE.plus(later));
    }

    @Test
    void aRequestThatWaitsForMinutesIsTold() {
        CertificateSigningRequest waiting =
                request("system:serviceaccount:gabion-system:gabion-agent").build();
        assertThat(open(waiting, Duration.ofSeconds(90))).isEmpty();
        assertThat(open(waiting, Duration.ofMinutes(3)))
                .containsExactly(new OpenRequest(
                        "gabion-node-a-1",
                        "nobody answered the request of system:serviceaccount:gabion-system:gabion-agent since "
                                + MADE));
    }

    @Test
    void aRefusalIsToldAtOnce() {
        CertificateSigningRequest refused = request("system:serviceaccount:gabion-system:gabion-data-plane")
                .withNewStatus()
                .addNewCondition()
                .withType("Denied")
                .withStatus("True")
                .withMessage("the key must be ECDSA P-256")
                .endCondition()
                .endStatus()
                .build();
        assertThat(open(refused, Duration.ZERO))
                .containsExactly(
                        new OpenRequest("gabion-node-a-1", "the request was refused: the key must be ECDSA P-256"));
    }

    @Test
    void whatWasSignedOrIsAskedByOthersIsNoTrouble() {
        CertificateSigningRequest signed = request("system:serviceaccount:gabion-system:gabion-agent")
                .withNewStatus()
                .withCertificate("Y2VydA==")
                .endStatus()
                .build();
        assertThat(open(signed, Duration.ofHours(1))).isEmpty();
        assertThat(open(request("jane").build(), Duration.ofHours(1))).isEmpty();
    }
}
