package io.gabion.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.io.ByteArrayInputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Objects;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** A peer with a good certificate and bad manners: a plain TLS socket that sends what it likes. */
final class RawPeer implements Closeable {
    private final SSLSocket socket;
    private final DataInputStream in;

    RawPeer(Path certificates, String stem, int port) throws IOException, GeneralSecurityException {
        Certificate own = certificate(certificates.resolve(stem + ".pem"));
        String pem = Files.readString(certificates.resolve(stem + ".key"));
        byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
        PrivateKey key = KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(der));
        char[] password = {};
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(null, password);
        keys.setKeyEntry("own", key, password, new Certificate[] {own});
        KeyStore roots = KeyStore.getInstance("PKCS12");
        roots.load(null, password);
        roots.setCertificateEntry("root", certificate(certificates.resolve("ca.pem")));
        KeyManagerFactory keyManagers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keyManagers.init(keys, password);
        TrustManagerFactory trustManagers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trustManagers.init(roots);
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(keyManagers.getKeyManagers(), trustManagers.getTrustManagers(), null);
        socket = (SSLSocket) context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(20_000);
        in = new DataInputStream(socket.getInputStream());
    }

    private static Certificate certificate(Path file) throws IOException, GeneralSecurityException {
        try (InputStream stream = new ByteArrayInputStream(Files.readAllBytes(file))) {
            return CertificateFactory.getInstance("X.509").generateCertificate(stream);
        }
    }

    /** Reads the node's Hello, then says its own; a Welcome is left to be read. */
    void introduce(Hello hello) throws IOException {
        if (nextType() != FrameType.HELLO) {
            throw new IOException("the server did not introduce itself");
        }
        send(Encoding.whole(new ControlFrame.Introduction(hello)));
    }

    void send(ByteBuf frame) throws IOException {
        socket.getOutputStream().write(ByteBufUtil.getBytes(frame));
        socket.getOutputStream().flush();
    }

    /** Type of the next frame that is neither Welcome nor a sign of life. */
    FrameType readFrameType() throws IOException {
        FrameType type = nextType();
        while (type == FrameType.WELCOME || type == FrameType.KEEP_ALIVE) {
            type = nextType();
        }
        return type;
    }

    private FrameType nextType() throws IOException {
        byte[] header = in.readNBytes(Frames.HEADER_BYTES);
        if (header.length < Frames.HEADER_BYTES) {
            throw new IOException("the server closed");
        }
        ByteBuf buffer = io.netty.buffer.Unpooled.wrappedBuffer(header);
        in.skipNBytes(buffer.getInt(Frames.BODY_LENGTH_AT) + (long) buffer.getInt(Frames.PAYLOAD_LENGTH_AT));
        return Objects.requireNonNull(FrameType.ofCode(header[Frames.TYPE_AT]));
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
