package io.gabion.agent.nbd;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A certificate authority made with openssl in a directory. */
public final class TestAuthority {
    private final Path directory;

    private TestAuthority(Path directory) {
        this.directory = directory;
    }

    public static TestAuthority create(Path directory) throws IOException, InterruptedException {
        Clients.requireInstalled("openssl");
        Files.createDirectories(directory);
        TestAuthority authority = new TestAuthority(directory);
        authority.newKey("ca");
        Clients.succeed(
                "openssl",
                "req",
                "-x509",
                "-new",
                "-key",
                authority.key("ca").toString(),
                "-subj",
                "/CN=test",
                "-days",
                "2",
                "-out",
                authority.authorities().toString());
        return authority;
    }

    public Path authorities() {
        return directory.resolve("ca.pem");
    }

    public Path certificate(String name) {
        return directory.resolve(name + ".pem");
    }

    public Path key(String name) {
        return directory.resolve(name + ".key");
    }

    /** Makes key and certificate for {@code uri}. */
    public void issue(String name, String uri) throws IOException, InterruptedException {
        newKey(name);
        Path request = directory.resolve(name + ".csr");
        Path extensions = directory.resolve(name + ".ext");
        Files.writeString(extensions, "subjectAltName=URI:" + uri + ",IP:127.0.0.1\n");
        Clients.succeed(
                "openssl",
                "req",
                "-new",
                "-key",
                key(name).toString(),
                "-subj",
                "/CN=" + name,
                "-out",
                request.toString());
        Clients.succeed(
                "openssl",
                "x509",
                "-req",
                "-in",
                request.toString(),
                "-CA",
                authorities().toString(),
                "-CAkey",
                key("ca").toString(),
                "-CAcreateserial",
                "-days",
                "2",
                "-extfile",
                extensions.toString(),
                "-out",
                certificate(name).toString());
    }

    /** Signs a request, with the names that it asks for; returns the certificate. */
    public String sign(String requestPem) throws IOException, InterruptedException {
        Path request = Files.createTempFile(directory, "request", ".csr");
        Path signed = Files.createTempFile(directory, "signed", ".pem");
        Files.writeString(request, requestPem);
        Clients.succeed(
                "openssl",
                "x509",
                "-req",
                "-in",
                request.toString(),
                "-CA",
                authorities().toString(),
                "-CAkey",
                key("ca").toString(),
                "-CAcreateserial",
                "-days",
                "2",
                "-copy_extensions",
                "copyall",
                "-out",
                signed.toString());
        return Files.readString(signed);
    }

    private void newKey(String name) throws IOException, InterruptedException {
        Clients.succeed(
                "openssl",
                "genpkey",
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-out",
                key(name).toString());
    }

    /** Files named as GnuTLS clients want them. */
    Path gnutlsDirectory(String name) throws IOException {
        Path result = Files.createDirectory(directory.resolve("gnutls-" + name));
        Files.copy(authorities(), result.resolve("ca-cert.pem"));
        Files.copy(certificate(name), result.resolve("client-cert.pem"));
        Files.copy(key(name), result.resolve("client-key.pem"));
        return result;
    }

    SSLContext clientContext(String name) throws IOException, GeneralSecurityException {
        return clientContext(name, authorities());
    }

    SSLContext clientContext(String name, Path trusted) throws IOException, GeneralSecurityException {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(null, null);
        keys.setKeyEntry("own", privateKey(name), new char[0], new X509Certificate[] {read(certificate(name))});
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(keys, new char[0]);
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(factory.getKeyManagers(), trust(trusted).getTrustManagers(), null);
        return context;
    }

    SSLContext anonymousContext() throws IOException, GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(null, trust(authorities()).getTrustManagers(), null);
        return context;
    }

    private static TrustManagerFactory trust(Path trusted) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("ca", read(trusted));
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        return factory;
    }

    private static X509Certificate read(Path file) throws IOException, GeneralSecurityException {
        try (InputStream in = Files.newInputStream(file)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    private PrivateKey privateKey(String name) throws IOException, GeneralSecurityException {
        String pem =
                Files.readString(key(name)).replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
        return KeyFactory.getInstance("EC")
                .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
    }
}
