package io.gabion.operator.certificate;

import io.gabion.model.ClusterId;
import io.gabion.protocol.control.PeerIdentity;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * The cluster's own authority: ECDSA P-256, one root, leaves that name a cluster, a role and a name. Immutable and safe for any
 * thread; the key never leaves it but for {@link #keyPem}.
 */
public final class CertificateAuthority {
    /** How long a leaf is good. */
    public static final Duration LEAF_LIFETIME = Duration.ofDays(7);
    /** Clocks of nodes may run behind ours. */
    private static final Duration CLOCK_SKEW = Duration.ofMinutes(5);

    private static final Duration ROOT_LIFETIME = Duration.ofDays(3650);
    private static final String SIGNATURE = "SHA256withECDSA";
    private static final int SERIAL_BITS = 127;
    /** Of the common name (X.520); nothing reads it. */
    private static final int MAX_COMMON_NAME = 64;

    private final ClusterId cluster;
    private final X509Certificate root;
    private final List<X509Certificate> trusted;
    private final PrivateKey key;

    /** @param trusted {@code root}, and others whose leaves are still or already good */
    private CertificateAuthority(
            ClusterId cluster, X509Certificate root, List<X509Certificate> trusted, PrivateKey key) {
        this.cluster = cluster;
        this.root = root;
        this.trusted = List.copyOf(trusted);
        this.key = key;
    }

    /** A new root. */
    public static CertificateAuthority create(ClusterId cluster, Instant now) {
        KeyPair pair = keyPair();
        X500Name name = new X500Name("CN=Gabion " + cluster);
        try {
            X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                            name,
                            serial(),
                            Date.from(now.minus(CLOCK_SKEW)),
                            Date.from(now.plus(ROOT_LIFETIME)),
                            name,
                            SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded()))
                    .addExtension(Extension.basicConstraints, true, new BasicConstraints(0))
                    .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            X509Certificate root = signed(builder, pair.getPrivate());
            return new CertificateAuthority(cluster, root, List.of(root), pair.getPrivate());
        } catch (CertIOException e) {
            throw new IllegalStateException("a root cannot be made", e);
        }
    }

    /**
     * The key says which of the certificates signs; the others are only trusted, so that a root can be replaced while leaves of the
     * old one and of the new one meet. Throws {@link IllegalArgumentException} when none of them is the key's, or one is no root.
     */
    public static CertificateAuthority load(ClusterId cluster, String certificatesPem, String keyPem) {
        try {
            List<X509Certificate> all = Pem.certificates(certificatesPem);
            if (all.stream().anyMatch(c -> c.getBasicConstraints() < 0)) {
                throw new IllegalArgumentException("a certificate is not one of an authority");
            }
            PrivateKey key = Pem.key(keyPem);
            for (X509Certificate root : all) {
                if (belongs(key, root)) {
                    return new CertificateAuthority(cluster, root, all, key);
                }
            }
            throw new IllegalArgumentException("the key does not belong to a certificate of the authority");
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("the authority cannot be read: " + e.getMessage(), e);
        }
    }

    /** Signs something and verifies it: a key of another root would sign leaves that nobody trusts. */
    private static boolean belongs(PrivateKey key, X509Certificate root) throws GeneralSecurityException {
        if (!key.getAlgorithm().equals(root.getPublicKey().getAlgorithm())) {
            return false;
        }
        java.security.Signature signature = java.security.Signature.getInstance(SIGNATURE);
        byte[] sample = root.getSubjectX500Principal().getEncoded();
        signature.initSign(key);
        signature.update(sample);
        byte[] signed = signature.sign();
        // The key alone: a root's certificate allows its use for certificates only.
        signature.initVerify(root.getPublicKey());
        signature.update(sample);
        return signature.verify(signed);
    }

    public ClusterId cluster() {
        return cluster;
    }

    /** All certificates that components trust. */
    public String certificatesPem() {
        try {
            StringBuilder text = new StringBuilder();
            for (X509Certificate certificate : trusted) {
                text.append(Pem.of(certificate));
            }
            return text.toString();
        } catch (java.security.cert.CertificateException e) {
            throw new IllegalStateException("the root cannot be encoded", e);
        }
    }

    /** Whether both sign with the same key and trust the same. */
    boolean sameAs(CertificateAuthority other) {
        return cluster.equals(other.cluster) && root.equals(other.root) && trusted.equals(other.trusted);
    }

    /** The secret half. */
    public String keyPem() {
        return Pem.of(key);
    }

    /** A leaf for {@code identity}, good for {@link #LEAF_LIFETIME}. */
    public X509Certificate sign(PublicKey subject, PeerIdentity identity, Instant now) {
        String name = identity.role().word() + " " + identity.name();
        X500Name common = X500Name.getInstance(new X500Principal(
                        "CN=" + (name.length() <= MAX_COMMON_NAME ? name : name.substring(0, MAX_COMMON_NAME)))
                .getEncoded());
        try {
            X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                            X500Name.getInstance(root.getSubjectX500Principal().getEncoded()),
                            serial(),
                            Date.from(now.minus(CLOCK_SKEW)),
                            Date.from(now.plus(LEAF_LIFETIME)),
                            common,
                            SubjectPublicKeyInfo.getInstance(subject.getEncoded()))
                    .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
                    .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature))
                    .addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(new KeyPurposeId[] {
                        KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
                    }))
                    .addExtension(
                            Extension.subjectAlternativeName,
                            false,
                            new GeneralNames(
                                    new GeneralName(GeneralName.uniformResourceIdentifier, identity.toString())));
            return signed(builder, key);
        } catch (CertIOException e) {
            throw new IllegalStateException("a certificate for " + identity + " cannot be made", e);
        }
    }

    private static X509Certificate signed(X509v3CertificateBuilder builder, PrivateKey key) {
        try {
            return new JcaX509CertificateConverter()
                    .getCertificate(builder.build(new JcaContentSignerBuilder(SIGNATURE).build(key)));
        } catch (OperatorCreationException | GeneralSecurityException e) {
            throw new IllegalStateException("a certificate cannot be signed", e);
        }
    }

    /** A new key of the kind that every component uses. */
    static KeyPair keyPair() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"), new SecureRandom());
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the JDK makes no P-256 keys", e);
        }
    }

    private static BigInteger serial() {
        return new BigInteger(SERIAL_BITS, new SecureRandom()).add(BigInteger.ONE);
    }

    /** Text of a certificate. */
    static String pem(X509Certificate certificate) throws IOException {
        try {
            return Pem.of(certificate);
        } catch (java.security.cert.CertificateException e) {
            throw new IOException("a certificate cannot be encoded", e);
        }
    }
}
