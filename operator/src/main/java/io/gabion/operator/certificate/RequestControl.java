package io.gabion.operator.certificate;

import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequest;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestCondition;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestConditionBuilder;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestSpec;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestStatus;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.operator.failpoint.FailPoint;
import io.gabion.operator.failpoint.Step;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers requests for certificates: approves and signs, or denies with the reason. */
public final class RequestControl {
    private static final Logger LOG = LoggerFactory.getLogger(RequestControl.class);
    private static final String APPROVED = "Approved";
    private static final String DENIED = "Denied";
    private static final String FAILED = "Failed";

    private final KubernetesClient client;
    private final String namespace;
    private final FailPoint failPoint;
    private final InstantSource clock;

    public RequestControl(KubernetesClient client, String namespace, FailPoint failPoint, InstantSource clock) {
        this.client = client;
        this.namespace = namespace;
        this.failPoint = failPoint;
        this.clock = clock;
    }

    /** Does the next thing for a request. Returns false while the authority is not there yet. */
    public boolean answer(CertificateSigningRequest request, Optional<CertificateAuthority> authority) {
        if (!GabionApi.SIGNER_NAME.equals(request.getSpec().getSignerName()) || isAnswered(request)) {
            return true;
        }
        if (authority.isEmpty()) {
            return false;
        }
        RequestRules rules = new RequestRules(authority.get().cluster(), namespace);
        switch (rules.judge(asked(request.getSpec()))) {
            case RequestRules.Answer.Denied(String reason) -> {
                LOG.warn("certificate request {} denied: {}", name(request), reason);
                if (!has(request, APPROVED)) {
                    failPoint.around(Step.APPROVE_REQUEST, () -> decide(request, DENIED, "NotAllowed", reason));
                }
            }
            case RequestRules.Answer.Granted granted -> {
                CertificateSigningRequest approved = request;
                if (!has(request, APPROVED)) {
                    failPoint.reached(Step.APPROVE_REQUEST, FailPoint.Side.BEFORE);
                    approved = decide(request, APPROVED, "OwnIdentity", "for " + granted.identity());
                    failPoint.reached(Step.APPROVE_REQUEST, FailPoint.Side.AFTER);
                }
                CertificateSigningRequest toSign = approved;
                failPoint.around(Step.SIGN_REQUEST, () -> sign(toSign, granted, authority.get()));
                LOG.info("certificate request {}: {} signed", name(request), granted.identity());
            }
        }
        return true;
    }

    private static boolean isAnswered(CertificateSigningRequest request) {
        CertificateSigningRequestStatus status = request.getStatus();
        boolean signed = status != null
                && status.getCertificate() != null
                && !status.getCertificate().isEmpty();
        return signed || has(request, DENIED) || has(request, FAILED);
    }

    private static boolean has(CertificateSigningRequest request, String type) {
        return request.getStatus() != null
                && request.getStatus().getConditions() != null
                && request.getStatus().getConditions().stream().anyMatch(c -> type.equals(c.getType()));
    }

    private static RequestRules.Asked asked(CertificateSigningRequestSpec spec) {
        List<String> nodes =
                spec.getExtra() == null ? List.of() : spec.getExtra().getOrDefault(RequestRules.NODE_CLAIM, List.of());
        return new RequestRules.Asked(
                spec.getSignerName(),
                spec.getUsername() == null ? "" : spec.getUsername(),
                nodes,
                spec.getUsages() == null ? List.of() : spec.getUsages(),
                new String(Base64.getMimeDecoder().decode(spec.getRequest()), StandardCharsets.US_ASCII));
    }

    private CertificateSigningRequest decide(
            CertificateSigningRequest request, String type, String reason, String message) {
        CertificateSigningRequest next = client.getKubernetesSerialization().clone(request);
        if (next.getStatus() == null) {
            next.setStatus(new CertificateSigningRequestStatus());
        }
        List<CertificateSigningRequestCondition> conditions = new ArrayList<>();
        if (next.getStatus().getConditions() != null) {
            conditions.addAll(next.getStatus().getConditions());
        }
        String now = clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
        conditions.add(new CertificateSigningRequestConditionBuilder()
                .withType(type)
                .withStatus("True")
                .withReason(reason)
                .withMessage(message)
                .withLastUpdateTime(now)
                .build());
        next.getStatus().setConditions(conditions);
        return client.resource(next).subresource("approval").update();
    }

    private void sign(
            CertificateSigningRequest request, RequestRules.Answer.Granted granted, CertificateAuthority authority) {
        CertificateSigningRequest next = client.getKubernetesSerialization().clone(request);
        try {
            String leaf = CertificateAuthority.pem(authority.sign(granted.key(), granted.identity(), clock.instant()));
            next.getStatus()
                    .setCertificate(Base64.getEncoder().encodeToString(leaf.getBytes(StandardCharsets.US_ASCII)));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        client.resource(next).subresource("status").update();
    }

    private static String name(CertificateSigningRequest request) {
        return request.getMetadata().getName();
    }
}
