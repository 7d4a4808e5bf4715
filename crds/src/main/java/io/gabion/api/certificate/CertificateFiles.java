package io.gabion.api.certificate;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The three PEM files of a process.
 *
 * @param certificate own certificate
 * @param key its private key (PKCS#8, readable by the owner alone)
 * @param ca certificate authorities that are trusted
 */
public record CertificateFiles(Path certificate, Path key, Path ca) {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");
    private static final Set<PosixFilePermission> FOLDER = PosixFilePermissions.fromString("rwx------");
    /** Type of a URI among the subject alternative names. */
    private static final int SAN_URI = 6;
    /** A certificate is renewed when this part of its life is over. */
    private static final int RENEW_AFTER_PARTS = 2;

    private static final int PARTS = 3;

    /** {@code certificate.pem}, {@code key.pem}, {@code ca.pem}. */
    public static CertificateFiles in(Path directory) {
        return new CertificateFiles(
                directory.resolve("certificate.pem"), directory.resolve("key.pem"), directory.resolve("ca.pem"));
    }

    /**
     * When the certificate should be renewed; empty when the files are missing, broken, do not fit together or are for somebody
     * else.
     */
    Optional<Instant> renewAt(Identity identity) {
        try {
            X509Certificate leaf = certificates(Files.readString(certificate)).getFirst();
            if (!uris(leaf).equals(List.of(identity.uri()))
                    || !fits(leaf, Files.readString(key))
                    || !isSignedBy(leaf, certificates(Files.readString(ca)))) {
                return Optional.empty();
            }
            return Optional.of(renewAt(leaf));
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    static Instant renewAt(X509Certificate leaf) {
        Instant from = leaf.getNotBefore().toInstant();
        Duration life = Duration.between(from, leaf.getNotAfter().toInstant());
        return from.plus(life.multipliedBy(RENEW_AFTER_PARTS).dividedBy(PARTS));
    }

    /** Writes all three; each file is replaced as a whole. */
    void write(String certificatePem, String keyPem, String caPem) throws IOException {
        Path directory = certificate.toAbsolutePath().getParent();
        if (directory != null && !Files.isDirectory(directory)) {
            Files.createDirectories(directory, PosixFilePermissions.asFileAttribute(FOLDER));
        }
        replace(key, keyPem);
        replace(certificate, certificatePem);
        replace(ca, caPem);
    }

    /** True when the file changed. */
    boolean writeCa(String caPem) throws IOException {
        if (Files.exists(ca) && Files.readString(ca).equals(caPem)) {
            return false;
        }
        replace(ca, caPem);
        return true;
    }

    private static void replace(Path file, String content) throws IOException {
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(fresh);
        Files.createFile(fresh, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        Files.writeString(fresh, content);
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    // ---- looking into certificates
    /** All certificates in the text; throws {@link CertificateException} when there is none. */
    public static List<X509Certificate> certificates(String pem) throws CertificateException {
        List<X509Certificate> found = new ArrayList<>();
        for (Certificate each : CertificateFactory.getInstance("X.509")
                .generateCertificates(new ByteArrayInputStream(pem.getBytes(StandardCharsets.UTF_8)))) {
            found.add((X509Certificate) each);
        }
        if (found.isEmpty()) {
            throw new CertificateException("there is no PEM certificate");
        }
        return found;
    }

    static List<String> uris(X509Certificate leaf) throws CertificateException {
        Collection<List<?>> names = leaf.getSubjectAlternativeNames();
        List<String> uris = new ArrayList<>();
        if (names != null) {
            for (List<?> name : names) {
                if (name.get(0) instanceof Integer type && type == SAN_URI && name.get(1) instanceof String uri) {
                    uris.add(uri);
                }
            }
        }
        return uris;
    }

    static boolean isSignedBy(X509Certificate leaf, List<X509Certificate> authorities) {
        // Two roots may have one name during a rotation: each is tried.
        return authorities.stream()
                .anyMatch(authority -> authority.getSubjectX500Principal().equals(leaf.getIssuerX500Principal())
                        && isSignedBy(leaf, authority));
    }

    private static boolean isSignedBy(X509Certificate leaf, X509Certificate authority) {
        try {
            leaf.verify(authority.getPublicKey());
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private static boolean fits(X509Certificate leaf, String keyPem) throws GeneralSecurityException {
        String body = keyPem.replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
        PrivateKey own = KeyFactory.getInstance("EC")
                .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(body)));
        byte[] probe = leaf.getEncoded();
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(own);
        signature.update(probe);
        byte[] signed = signature.sign();
        signature.initVerify(leaf.getPublicKey());
        signature.update(probe);
        return signature.verify(signed);
    }
}
