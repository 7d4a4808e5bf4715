package io.gabion.operator.certificate;

import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.model.ClusterId;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.PeerIdentity;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.x500.RDN;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x500.style.IETFUtils;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.PKCSException;

/**
 * Who gets which certificate. A component gets one for itself only: the API server vouches for the ServiceAccount and for the
 * node of the pod whose token asked; what the request says of itself must agree with that. Pure.
 */
public final class RequestRules {
    /** Claim of a pod's token. */
    public static final String NODE_CLAIM = "authentication.kubernetes.io/node-name";

    private static final int P256_BITS = 256;
    private static final int MAX_REQUEST_BYTES = 16 * 1024;
    private static final List<String> USAGES =
            List.of("digital signature", "key encipherment", "key agreement", "client auth", "server auth");

    /** Components that run on every node are named after it; the driver's controller after its ServiceAccount. */
    private static final Map<String, ControlRole> NODE_ROLES =
            Map.of("gabion-data-plane", ControlRole.NODE, "gabion-agent", ControlRole.AGENT);

    private static final Map<String, ControlRole> OTHER_ROLES =
            Map.of("gabion-csi-controller", ControlRole.CSI_CONTROLLER);

    private final ClusterId cluster;
    private final String namespace;

    public RequestRules(ClusterId cluster, String namespace) {
        this.cluster = cluster;
        this.namespace = namespace;
    }

    /**
     * A request as the API server holds it.
     *
     * @param username who asked, as the API server knows
     * @param nodeClaims values of {@link #NODE_CLAIM} of the token
     * @param pem the PKCS#10 request
     */
    public record Asked(String signer, String username, List<String> nodeClaims, List<String> usages, String pem) {
        public Asked {
            nodeClaims = List.copyOf(nodeClaims);
            usages = List.copyOf(usages);
        }
    }

    /** What is answered. */
    public sealed interface Answer {
        record Granted(PeerIdentity identity, PublicKey key) implements Answer {}

        /** @param reason for whoever reads the request's condition */
        record Denied(String reason) implements Answer {}
    }

    public Answer judge(Asked asked) {
        if (!asked.signer().equals(GabionApi.SIGNER_NAME)) {
            return new Answer.Denied("the signer is " + asked.signer() + ", not " + GabionApi.SIGNER_NAME);
        }
        String prefix = "system:serviceaccount:" + namespace + ":";
        String account = asked.username().startsWith(prefix) ? asked.username().substring(prefix.length()) : "";
        Optional<PeerIdentity> identity = identity(account, asked.nodeClaims());
        if (identity.isEmpty()) {
            return new Answer.Denied(asked.username() + " on node " + asked.nodeClaims()
                    + " gets no certificate: only the ServiceAccounts " + NODE_ROLES.keySet() + " and "
                    + OTHER_ROLES.keySet() + " of namespace " + namespace
                    + " do, with the token that the kubelet mounts into their pods");
        }
        for (String usage : asked.usages()) {
            if (!USAGES.contains(usage)) {
                return new Answer.Denied("usage \"" + usage + "\" is not for TLS");
            }
        }
        return judgeRequest(asked.pem(), identity.get());
    }

    private Optional<PeerIdentity> identity(String account, List<String> nodes) {
        ControlRole node = NODE_ROLES.get(account);
        if (node != null) {
            return nodes.size() == 1
                    ? Optional.of(new PeerIdentity(cluster, node, nodes.getFirst()))
                    : Optional.empty();
        }
        ControlRole other = OTHER_ROLES.get(account);
        return other == null ? Optional.empty() : Optional.of(new PeerIdentity(cluster, other, account));
    }

    private static Answer judgeRequest(String pem, PeerIdentity identity) {
        try {
            byte[] der = Pem.der("CERTIFICATE REQUEST", pem);
            if (der.length > MAX_REQUEST_BYTES) {
                return new Answer.Denied("the request is larger than " + MAX_REQUEST_BYTES + " bytes");
            }
            PKCS10CertificationRequest request = new PKCS10CertificationRequest(der);
            X500Name subject = request.getSubject();
            if (!identity.name().equals(attribute(subject, BCStyle.CN))
                    || !identity.role().word().equals(attribute(subject, BCStyle.O))) {
                return new Answer.Denied("the subject must be CN=" + identity.name() + ", O="
                        + identity.role().word() + " for this ServiceAccount and node, not " + subject);
            }
            PublicKey key = KeyFactory.getInstance("EC")
                    .generatePublic(new X509EncodedKeySpec(
                            request.getSubjectPublicKeyInfo().getEncoded()));
            if (!(key instanceof ECPublicKey ec)
                    || ec.getParams().getCurve().getField().getFieldSize() != P256_BITS) {
                return new Answer.Denied("the key must be ECDSA P-256");
            }
            if (!request.isSignatureValid(
                    new JcaContentVerifierProviderBuilder().build(request.getSubjectPublicKeyInfo()))) {
                return new Answer.Denied("the request is not signed with its own key");
            }
            return new Answer.Granted(identity, key);
        } catch (IOException
                | GeneralSecurityException
                | IllegalArgumentException
                | PKCSException
                | OperatorCreationException e) {
            return new Answer.Denied("the request cannot be read: " + e.getMessage());
        }
    }

    /** The attribute's text when it is there once; otherwise something that matches nothing. */
    private static String attribute(X500Name subject, ASN1ObjectIdentifier type) {
        RDN[] found = subject.getRDNs(type);
        if (found.length != 1 || found[0].isMultiValued()) {
            return "";
        }
        ASN1Encodable value = found[0].getFirst().getValue();
        return IETFUtils.valueToString(value);
    }
}
