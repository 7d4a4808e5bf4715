package io.gabion.agent.nbd;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.IOException;
import java.nio.file.Path;

/** TLS 1.3 of the NBD server on TCP: clients need a certificate of the cluster's authority. */
public final class NbdTls {
    private NbdTls() {}

    /**
     * Reads PEM files: the server's certificate (chain), its key (PKCS#8 without a password) and the trusted authorities.
     *
     * @throws IOException naming the files when they cannot be read or do not fit together
     */
    public static SslContext serverContext(Path certificate, Path key, Path authorities) throws IOException {
        try {
            return SslContextBuilder.forServer(certificate.toFile(), key.toFile())
                    .trustManager(authorities.toFile())
                    .clientAuth(ClientAuth.REQUIRE)
                    .protocols("TLSv1.3")
                    .build();
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    "certificate " + certificate + ", key " + key + " and authorities " + authorities
                            + " cannot be used together: " + e.getMessage(),
                    e);
        }
    }
}
