package io.gabion.operator.real;

import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequest;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestBuilder;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.gabion.api.v1alpha1.GabionApi;
import io.gabion.operator.certificate.RequestRules;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

/** Requests for certificates as components make them. */
public final class Requests {
    private static final Base64.Encoder BASE64 = Base64.getMimeEncoder(64, new byte[] {'\n'});
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private Requests() {}

    public static KeyPair keyPair(String curve) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec(curve));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** PKCS#10 for {@code subject}, signed by {@code signer}. */
    public static String pem(String subject, KeyPair keys, KeyPair signer) {
        try {
            byte[] der = new JcaPKCS10CertificationRequestBuilder(new X500Name(subject), keys.getPublic())
                    .build(new JcaContentSignerBuilder("SHA256withECDSA").build(signer.getPrivate()))
                    .getEncoded();
            return block("CERTIFICATE REQUEST", der);
        } catch (OperatorCreationException | IOException e) {
            throw new AssertionError(e);
        }
    }

    public static String keyPem(KeyPair keys) {
        return block("PRIVATE KEY", keys.getPrivate().getEncoded());
    }

    private static String block(String label, byte[] der) {
        return "-----BEGIN " + label + "-----\n" + BASE64.encodeToString(der) + "\n-----END " + label + "-----\n";
    }

    /** A client that the API server takes for a pod of {@code account} on {@code node}. */
    public static KubernetesClient as(KubernetesClient admin, String account, String node) {
        return new KubernetesClientBuilder()
                .withConfig(new ConfigBuilder(admin.getConfiguration())
                        .withImpersonateUsername("system:serviceaccount:" + GabionApi.NAMESPACE + ":" + account)
                        // It becomes part of the name of a header.
                        .withImpersonateExtras(Map.of(RequestRules.NODE_CLAIM.replace("/", "%2F"), List.of(node)))
                        .build())
                .build();
    }

    /** Hands a request in. */
    public static String submit(KubernetesClient as, String signer, String pem) {
        return as.resource(new CertificateSigningRequestBuilder()
                        .withNewMetadata()
                        .withGenerateName("test-")
                        .endMetadata()
                        .withNewSpec()
                        .withSignerName(signer)
                        .withRequest(Base64.getEncoder().encodeToString(pem.getBytes(StandardCharsets.US_ASCII)))
                        .withUsages("digital signature", "client auth", "server auth")
                        .endSpec()
                        .build())
                .create()
                .getMetadata()
                .getName();
    }

    /** Waits for an answer. */
    public static CertificateSigningRequest answer(KubernetesClient admin, String name) {
        return Await.present(
                "an answer to the request " + name, PATIENCE, () -> Optional.ofNullable(admin.certificates()
                                .v1()
                                .certificateSigningRequests()
                                .withName(name)
                                .get())
                        .filter(r -> r.getStatus() != null
                                && (r.getStatus().getCertificate() != null
                                        || r.getStatus().getConditions().stream()
                                                .anyMatch(c -> "Denied".equals(c.getType())))));
    }

    /** The certificate of an answer that grants. */
    public static String certificate(CertificateSigningRequest answer) {
        return new String(Base64.getDecoder().decode(answer.getStatus().getCertificate()), StandardCharsets.US_ASCII);
    }
}
