package io.gabion.e2e;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * The certificate of a storage process in other hands, used against the ports of another one as docs/wire-format.md describes them.
 *
 * @param name the only URI in it
 */
record StolenCertificate(String name, SSLContext tls) {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final int HEADER_BYTES = 24;
    private static final int TYPE_AT = 2;
    private static final int BODY_LENGTH_AT = 4;
    private static final int MAX_BODY_BYTES = 4096;
    private static final byte HELLO = 0x01;
    private static final byte REFUSED = 0x03;
    /** A message without fields, not compressed. */
    private static final byte[] EMPTY_CALL = new byte[5];

    static StolenCertificate of(String certificatePem, String keyPem) throws GeneralSecurityException, IOException {
        X509Certificate leaf = (X509Certificate) CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(certificatePem.getBytes(StandardCharsets.US_ASCII)));
        byte[] der = Base64.getMimeDecoder().decode(keyPem.replaceAll("-----[A-Z ]+-----", ""));
        PrivateKey key = KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(der));
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(null, null);
        keys.setKeyEntry("stolen", key, new char[0], new Certificate[] {leaf});
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, new char[0]);
        SSLContext tls = SSLContext.getInstance("TLSv1.3");
        tls.init(managers.getKeyManagers(), new TrustManager[] {new Trusting()}, null);
        String uri = leaf.getSubjectAlternativeNames().iterator().next().get(1).toString();
        return new StolenCertificate(uri, tls);
    }

    /** A thief does not care who answers. */
    private static final class Trusting extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    /** A gRPC call; returns the number and the message of its status. */
    String call(int port, String method) throws IOException, InterruptedException {
        try (HttpClient client =
                HttpClient.newBuilder().sslContext(tls).connectTimeout(LIMIT).build()) {
            HttpResponse<byte[]> answer = client.send(
                    HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + port + "/" + method))
                            .header("content-type", "application/grpc")
                            .header("te", "trailers")
                            .timeout(LIMIT)
                            .POST(HttpRequest.BodyPublishers.ofByteArray(EMPTY_CALL))
                            .build(),
                    HttpResponse.BodyHandlers.ofByteArray());
            return answer.headers().firstValue("grpc-status").orElse("no status") + " "
                    + answer.headers().firstValue("grpc-message").orElse("");
        }
    }

    /** The first frame that a data port sends: who it is. */
    byte[] greeted(int port) throws IOException {
        try (SSLSocket socket = connect(port)) {
            return frame(new DataInputStream(socket.getInputStream()), HELLO);
        }
    }

    /** Says the words of another one to a data port; returns the reason of the refusal. */
    String introducedAs(int port, byte[] helloOfAnother) throws IOException {
        try (SSLSocket socket = connect(port)) {
            DataInputStream in = new DataInputStream(socket.getInputStream());
            frame(in, HELLO);
            socket.getOutputStream().write(helloOfAnother);
            ByteBuffer refused = ByteBuffer.wrap(frame(in, REFUSED));
            // The code, then the length of the reason, then the reason.
            byte[] reason = new byte[refused.getShort(HEADER_BYTES + 1)];
            refused.get(HEADER_BYTES + 1 + Short.BYTES, reason);
            return new String(reason, StandardCharsets.UTF_8);
        }
    }

    private SSLSocket connect(int port) throws IOException {
        SSLSocket socket = (SSLSocket) tls.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(Math.toIntExact(LIMIT.toMillis()));
        return socket;
    }

    private static byte[] frame(DataInputStream in, byte type) throws IOException {
        byte[] header = in.readNBytes(HEADER_BYTES);
        if (header.length < HEADER_BYTES || header[TYPE_AT] != type) {
            throw new AssertionError("a frame of another type or none: " + header.length + " bytes");
        }
        int body = ByteBuffer.wrap(header).getInt(BODY_LENGTH_AT);
        if (body < 0 || body > MAX_BODY_BYTES) {
            throw new AssertionError("a body of " + body + " bytes");
        }
        byte[] frame = new byte[HEADER_BYTES + body];
        System.arraycopy(header, 0, frame, 0, HEADER_BYTES);
        in.readFully(frame, HEADER_BYTES, body);
        return frame;
    }
}
