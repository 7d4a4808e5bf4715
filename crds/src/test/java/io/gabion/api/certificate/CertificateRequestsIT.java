package io.gabion.api.certificate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequest;
import io.fabric8.kubernetes.api.model.certificates.v1.CertificateSigningRequestConditionBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.gabion.api.testing.RealApiServer;
import io.gabion.api.testing.RequestSigner;
import io.gabion.model.ClusterId;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Requests as a real API server takes them; the test plays the operator. */
@Tag("kubernetes")
@ExtendWith(RealApiServer.class)
class CertificateRequestsIT {
    private static final Duration LONG = Duration.ofDays(7);
    private static final ClusterId CLUSTER = new ClusterId(UUID.randomUUID());

    private final KubernetesClient client;
    private final RequestSigner signer;
    private final KeyPair authority;
    private final X509Certificate root;

    @TempDir
    private Path directory;

    CertificateRequestsIT(KubernetesClient client) throws Exception {
        this.client = client;
        this.signer = new RequestSigner(client);
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(256);
        this.authority = generator.generateKeyPair();
        X500Name name = new X500Name("CN=test");
        this.root = certificate(new JcaX509v3CertificateBuilder(
                name, BigInteger.ONE, before(), after(LONG), name, authority.getPublic()));
    }

    @BeforeEach
    void publishTheAuthority() throws Exception {
        signer.publish(pem(root));
    }

    @Test
    void aCertificateIsObtainedAndUsedAgain() throws Exception {
        CompletableFuture<CertificateFiles> asked = ask("n1");
        sign(signer.next("node", "n1"), LONG);
        CertificateFiles files = asked.get(30, TimeUnit.SECONDS);

        X509Certificate leaf = CertificateFiles.certificates(Files.readString(files.certificate()))
                .getFirst();
        assertThat(CertificateFiles.uris(leaf)).containsExactly("spiffe://" + CLUSTER + "/node/n1");
        assertThat(leaf.getSubjectX500Principal().getName()).contains("CN=n1", "O=node");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(files.key())))
                .isEqualTo("rw-------");
        assertThat(ask("n1").get(5, TimeUnit.SECONDS))
                .as("nobody needs to sign again")
                .isEqualTo(files);
    }

    @Test
    void aCertificateThatIsTwoThirdsOverIsRenewed() throws Exception {
        CompletableFuture<CertificateFiles> asked = ask("n2");
        // One hour old already: two thirds of its life are over.
        sign(signer.next("node", "n2"), Duration.ofMinutes(10));
        String first = Files.readString(asked.get(30, TimeUnit.SECONDS).certificate());

        CompletableFuture<CertificateFiles> again = ask("n2");
        sign(signer.next("node", "n2"), LONG);

        assertThat(Files.readString(again.get(30, TimeUnit.SECONDS).certificate()))
                .isNotEqualTo(first);
    }

    @Test
    void aDeniedRequestSaysWhy() throws Exception {
        CompletableFuture<CertificateFiles> asked = ask("n3");
        CertificateSigningRequest request = signer.next("node", "n3");
        client.certificates()
                .v1()
                .certificateSigningRequests()
                .withName(request.getMetadata().getName())
                .deny(new CertificateSigningRequestConditionBuilder()
                        .withType("Denied")
                        .withStatus("True")
                        .withReason("WrongNode")
                        .withMessage("the token is of node n9")
                        .build());

        assertThatThrownBy(() -> asked.get(30, TimeUnit.SECONDS))
                .hasMessageContaining("WrongNode: the token is of node n9");
    }

    // ---- the operator's part
    private CompletableFuture<CertificateFiles> ask(String name) {
        CompletableFuture<CertificateFiles> answer = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                answer.complete(CertificateRequests.obtain(client, CLUSTER, "node", name, directory.resolve("tls")));
            } catch (IOException | InterruptedException | RuntimeException e) {
                answer.completeExceptionally(e);
            }
        });
        return answer;
    }

    private void sign(CertificateSigningRequest request, Duration life) throws Exception {
        PKCS10CertificationRequest parsed =
                (PKCS10CertificationRequest) new PEMParser(new StringReader(RequestSigner.pem(request))).readObject();
        assertThat(parsed.isSignatureValid(
                        new JcaContentVerifierProviderBuilder().build(parsed.getSubjectPublicKeyInfo())))
                .isTrue();
        Extensions wanted =
                Extensions.getInstance(parsed.getAttributes(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest)[0]
                        .getAttrValues()
                        .getObjectAt(0));
        X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                new X500Name("CN=test"),
                BigInteger.TWO,
                before(),
                after(life),
                parsed.getSubject(),
                parsed.getSubjectPublicKeyInfo());
        builder.addExtension(wanted.getExtension(Extension.subjectAlternativeName));
        signer.answer(request, pem(certificate(builder)));
    }

    private static Date before() {
        return Date.from(Instant.now().minus(Duration.ofHours(1)));
    }

    private static Date after(Duration life) {
        return Date.from(Instant.now().plus(life));
    }

    private X509Certificate certificate(X509v3CertificateBuilder builder) throws Exception {
        ContentSigner signer = new JcaContentSignerBuilder("SHA256withECDSA").build(authority.getPrivate());
        return CertificateFiles.certificates(pem(builder.build(signer))).getFirst();
    }

    private static String pem(Object object) throws IOException {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            writer.writeObject(object);
        }
        return text.toString();
    }
}
