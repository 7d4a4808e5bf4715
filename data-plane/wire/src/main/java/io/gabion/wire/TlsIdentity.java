package io.gabion.wire;

import static java.util.Objects.requireNonNull;

import io.gabion.model.NodeName;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Certificate, key and trusted roots of this process, as PEM files, ready for TLS 1.3 with certificates on both sides.
 * Whom a connection reaches is decided by {@link PeerIdentity}, never by host names. Thread-safe.
 */
public final class TlsIdentity {
    private static final Logger LOG = LoggerFactory.getLogger(TlsIdentity.class);
    private static final String PROTOCOL = "TLSv1.3";
    /** AES-128 first: both sides have AES instructions, and ten rounds cost a third less than fourteen. */
    private static final List<String> CIPHERS =
            List.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256");

    private final Path rootsFile;
    private final Path certificateFile;
    private final Path keyFile;
    private final TlsEngine engine;
    private final PeerIdentity identity;
    private volatile Contexts contexts;

    private record Contexts(SslContext server, SslContext client) {}

    private TlsIdentity(Path rootsFile, Path certificateFile, Path keyFile, TlsEngine engine) throws IOException {
        this.rootsFile = rootsFile;
        this.certificateFile = certificateFile;
        this.keyFile = keyFile;
        this.engine = engine;
        this.identity = readIdentity(certificateFile);
        this.contexts = buildContexts(rootsFile, certificateFile, keyFile, engine);
    }

    /**
     * Reads the files.
     *
     * @param rootsFile trusted certificate authorities (PEM, one or more: two during a rotation)
     * @param certificateFile own certificate, then intermediate ones (PEM)
     * @param keyFile private key (PEM, PKCS#8, not encrypted)
     * @throws IOException naming the file that is missing or not right
     * @throws IllegalStateException when BoringSSL is asked for by name and its library is not there
     */
    public static TlsIdentity load(Path rootsFile, Path certificateFile, Path keyFile, TlsEngine.Choice wanted)
            throws IOException {
        TlsIdentity loaded = new TlsIdentity(
                requireNonNull(rootsFile), requireNonNull(certificateFile), requireNonNull(keyFile), choose(wanted));
        LOG.info("TLS as {} with {} (asked for {})", loaded.identity, loaded.engine.text(), wanted);
        return loaded;
    }

    /** Files as {@code tools/development-ca} makes them: {@code ca.pem}, {@code <role>-<name>.pem}, {@code <role>-<name>.key}. */
    public static TlsIdentity inDirectory(Path directory, Role role, NodeName name, TlsEngine.Choice wanted)
            throws IOException {
        String stem = role.text() + "-" + name;
        return load(
                directory.resolve("ca.pem"),
                directory.resolve(stem + ".pem"),
                directory.resolve(stem + ".key"),
                wanted);
    }

    private static TlsEngine choose(TlsEngine.Choice wanted) {
        return switch (wanted) {
            case JDK -> TlsEngine.JDK;
            case AUTO -> OpenSsl.isAvailable() ? TlsEngine.BORINGSSL : TlsEngine.JDK;
            case BORINGSSL -> {
                if (!OpenSsl.isAvailable()) {
                    throw new IllegalStateException(
                            "TLS engine boringssl is not available: "
                                    + OpenSsl.unavailabilityCause().getMessage() + "; use auto or jdk",
                            OpenSsl.unavailabilityCause());
                }
                yield TlsEngine.BORINGSSL;
            }
        };
    }

    /** Reads the files again, for connections from now on. On failure the old ones stay in use. */
    public synchronized void reload() throws IOException {
        PeerIdentity renewed = readIdentity(certificateFile);
        if (!renewed.equals(identity)) {
            throw new IOException(certificateFile + " is for " + renewed + " now, but this process is " + identity);
        }
        Contexts old = contexts;
        contexts = buildContexts(rootsFile, certificateFile, keyFile, engine);
        ReferenceCountUtil.release(old.server);
        ReferenceCountUtil.release(old.client);
        LOG.info("certificates of {} were read again", identity);
    }

    public PeerIdentity identity() {
        return identity;
    }

    public TlsEngine engine() {
        return engine;
    }

    public Path rootsFile() {
        return rootsFile;
    }

    public Path certificateFile() {
        return certificateFile;
    }

    public Path keyFile() {
        return keyFile;
    }

    SslHandler serverHandler(ByteBufAllocator allocator) {
        return contexts.server.newHandler(allocator);
    }

    /** Without host and port: no session resumption, so that every connection proves its certificate. */
    SslHandler clientHandler(ByteBufAllocator allocator) {
        return contexts.client.newHandler(allocator);
    }

    private static PeerIdentity readIdentity(Path certificateFile) throws IOException {
        try (InputStream in = Files.newInputStream(certificateFile)) {
            X509Certificate certificate =
                    (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
            return PeerIdentity.of(certificate)
                    .orElseThrow(() -> new IOException(certificateFile
                            + " has no single URI name of the form spiffe://<clusterId>/<role>/<nodeName>"));
        } catch (CertificateException e) {
            throw new IOException(certificateFile + " is not a PEM certificate: " + e.getMessage(), e);
        }
    }

    private static Contexts buildContexts(Path rootsFile, Path certificateFile, Path keyFile, TlsEngine engine)
            throws IOException {
        for (Path file : List.of(rootsFile, certificateFile, keyFile)) {
            if (!Files.isReadable(file)) {
                throw new IOException("TLS file is missing or not readable: " + file);
            }
        }
        SslProvider provider =
                switch (engine) {
                    case JDK -> SslProvider.JDK;
                    case BORINGSSL -> SslProvider.OPENSSL_REFCNT;
                };
        try {
            SslContext server = SslContextBuilder.forServer(certificateFile.toFile(), keyFile.toFile())
                    .sslProvider(provider)
                    .trustManager(rootsFile.toFile())
                    .clientAuth(ClientAuth.REQUIRE)
                    .protocols(PROTOCOL)
                    .ciphers(CIPHERS)
                    .build();
            SslContext client = SslContextBuilder.forClient()
                    .sslProvider(provider)
                    .keyManager(certificateFile.toFile(), keyFile.toFile())
                    .trustManager(rootsFile.toFile())
                    .endpointIdentificationAlgorithm(null)
                    .protocols(PROTOCOL)
                    .ciphers(CIPHERS)
                    .build();
            return new Contexts(server, client);
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    "TLS files " + rootsFile + ", " + certificateFile + ", " + keyFile + " do not fit: "
                            + e.getMessage(),
                    e);
        }
    }
}
