package io.gabion.protocol.control;

import static java.util.Objects.requireNonNull;

import io.gabion.model.ClusterId;
import io.grpc.Context;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.netty.handler.ssl.ClientAuth;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.Set;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/**
 * Mutual TLS 1.3 of the control interfaces, from PEM files: a certificate (chain) with {@code spiffe://CLUSTER/ROLE/NAME}, its
 * unencrypted PKCS#8 key and the cluster's CA. Immutable; one instance serves any number of channels and servers.
 */
public final class ControlTls {
    /** Who calls, in the context of every call that an {@link IdentityInterceptor} let through. */
    public static final Context.Key<PeerIdentity> PEER = Context.key("gabion-peer");

    private static final String PROTOCOL = "TLSv1.3";

    private final PeerIdentity self;
    private final Path certificate;
    private final Path key;
    private final X509TrustManager chain;

    private ControlTls(PeerIdentity self, Path certificate, Path key, X509TrustManager chain) {
        this.self = self;
        this.certificate = certificate;
        this.key = key;
        this.chain = chain;
    }

    /**
     * Reads the three files. Throws {@link IOException} that names the file when one cannot be read or is not what it should
     * be, or when the certificate is of another cluster.
     */
    public static ControlTls load(ClusterId cluster, Path certificate, Path key, Path ca) throws IOException {
        PeerIdentity self;
        try {
            self = PeerIdentity.of(readCertificates(certificate).iterator().next());
        } catch (CertificateException e) {
            throw new IOException("certificate " + certificate + ": " + e.getMessage(), e);
        }
        if (!self.cluster().equals(cluster)) {
            throw new IOException(
                    "certificate " + certificate + " is " + self + ", of another cluster than " + cluster);
        }
        if (!Files.isReadable(key)) {
            throw new IOException("key " + key + " cannot be read: it must exist and be readable by this user");
        }
        ControlTls tls = new ControlTls(self, certificate, key, trustOf(ca));
        tls.serverContext();
        return tls;
    }

    /** The identity of this process. */
    public PeerIdentity self() {
        return self;
    }

    public ClusterId cluster() {
        return self.cluster();
    }

    SslContext serverContext() throws IOException {
        try {
            SslContextBuilder builder = SslContextBuilder.forServer(certificate.toFile(), key.toFile());
            return GrpcSslContexts.configure(builder, SslProvider.JDK)
                    .protocols(PROTOCOL)
                    .clientAuth(ClientAuth.REQUIRE)
                    .trustManager((TrustManager) chain)
                    .build();
        } catch (SSLException | IllegalArgumentException e) {
            throw unusable(e);
        }
    }

    SslContext clientContext(Set<ControlRole> serverRoles) throws IOException {
        try {
            return GrpcSslContexts.configure(SslContextBuilder.forClient(), SslProvider.JDK)
                    .protocols(PROTOCOL)
                    .keyManager(certificate.toFile(), key.toFile())
                    .trustManager((TrustManager) new IdentityTrust(chain, self.cluster(), serverRoles))
                    .build();
        } catch (SSLException | IllegalArgumentException e) {
            throw unusable(e);
        }
    }

    private IOException unusable(Exception cause) {
        return new IOException(
                "certificate " + certificate + " and key " + key
                        + " cannot be used together: they must be PEM, the key PKCS#8 without a password ("
                        + cause.getMessage() + ")",
                cause);
    }

    private static X509TrustManager trustOf(Path ca) throws IOException {
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            int number = 0;
            for (X509Certificate trusted : readCertificates(ca)) {
                store.setCertificateEntry("ca-" + number++, trusted);
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            for (TrustManager manager : factory.getTrustManagers()) {
                if (manager instanceof X509TrustManager x509) {
                    return x509;
                }
            }
            throw new IllegalStateException("the JDK has no X.509 trust manager");
        } catch (GeneralSecurityException e) {
            throw new IOException("CA " + ca + ": " + e.getMessage(), e);
        }
    }

    private static Collection<X509Certificate> readCertificates(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            Collection<? extends Certificate> all =
                    CertificateFactory.getInstance("X.509").generateCertificates(in);
            if (all.isEmpty()) {
                throw new IOException("file " + file + " holds no PEM certificate");
            }
            return all.stream().map(c -> requireNonNull((X509Certificate) c)).toList();
        } catch (CertificateException e) {
            throw new IOException("file " + file + " is not a PEM certificate: " + e.getMessage(), e);
        }
    }
}
