package io.gabion.agent;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;

import io.gabion.model.ClusterId;
import io.gabion.process.TemporaryDirectory;
import io.gabion.process.UsageException;
import io.gabion.protocol.control.ControlChannels;
import io.gabion.protocol.control.v1.AgentControlGrpc;
import io.gabion.protocol.control.v1.AttachRequest;
import io.gabion.protocol.control.v1.ListAttachmentsRequest;
import io.gabion.protocol.control.v1.NodeAddress;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * Runs an agent for a moment, without a cluster and without devices, so that an archive of the classes that it loads can be made
 * when its image is built: users of a volume wait while a killed agent starts again.
 */
final class WarmUp {
    private static final String NAME = "warm-up";
    private static final ClusterId CLUSTER = new ClusterId(new UUID(0, 1));
    /** Of a key that lives for seconds in a directory of its own. */
    private static final String PASSWORD = "warm-up";

    private static final int CALL_LIMIT_SECONDS = 3;
    private static final int KEY_LIMIT_SECONDS = 60;
    private static final int PEM_LINE = 64;
    /** Nobody listens there. */
    private static final int CLOSED_PORT = 1;

    private WarmUp() {}

    static void run() throws IOException, InterruptedException, UsageException {
        try (TemporaryDirectory temporary = TemporaryDirectory.create("gabion-agent")) {
            Path directory = temporary.path();
            writeIdentity(directory);
            Path socket = directory.resolve("control.sock");
            AgentOptions options = AgentOptions.parse(List.of(
                    "--name=" + NAME,
                    "--cluster=" + CLUSTER,
                    "--certificate=" + directory.resolve("certificate.pem"),
                    "--key=" + directory.resolve("key.pem"),
                    "--ca=" + directory.resolve("certificate.pem"),
                    "--socket-directory=" + directory,
                    "--control-socket=" + socket,
                    "--metrics-listen=127.0.0.1:0"));
            try (AgentProcess process = AgentProcess.start(options)) {
                call(socket);
                System.out.println("gabion-agent: warmed up, metrics were on port " + process.metricsPort());
            }
        }
    }

    private static void writeIdentity(Path directory) throws IOException, InterruptedException {
        Path store = directory.resolve("store.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(requireNonNull(System.getProperty("java.home")), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        NAME,
                        "-keyalg",
                        "EC",
                        "-groupname",
                        "secp256r1",
                        "-dname",
                        "CN=" + NAME,
                        "-ext",
                        "SAN=URI:spiffe://" + CLUSTER + "/agent/" + NAME,
                        "-validity",
                        "1",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        PASSWORD)
                .inheritIO()
                .start();
        if (!keytool.waitFor(KEY_LIMIT_SECONDS, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
            throw new IOException("keytool made no key");
        }
        try (InputStream in = Files.newInputStream(store)) {
            char[] password = PASSWORD.toCharArray();
            KeyStore keys = KeyStore.getInstance("PKCS12");
            keys.load(in, password);
            write(
                    directory.resolve("key.pem"),
                    "PRIVATE KEY",
                    keys.getKey(NAME, password).getEncoded());
            write(
                    directory.resolve("certificate.pem"),
                    "CERTIFICATE",
                    keys.getCertificate(NAME).getEncoded());
        } catch (GeneralSecurityException e) {
            throw new IOException("the key cannot be read: " + e.getMessage(), e);
        }
    }

    private static void write(Path file, String type, byte[] content) throws IOException {
        Base64.Encoder encoder = Base64.getMimeEncoder(PEM_LINE, "\n".getBytes(US_ASCII));
        Files.writeString(
                file,
                "-----BEGIN " + type + "-----\n" + encoder.encodeToString(content) + "\n-----END " + type + "-----\n");
    }

    private static void call(Path socket) {
        ManagedChannel channel = ControlChannels.unixSocket(socket);
        try {
            var control = AgentControlGrpc.newBlockingStub(channel);
            var unused = control.listAttachments(ListAttachmentsRequest.getDefaultInstance());
            var unusedToo = control.withDeadlineAfter(CALL_LIMIT_SECONDS, TimeUnit.SECONDS)
                    .attach(AttachRequest.newBuilder()
                            .setVolume(new UUID(0, 2).toString())
                            .setExportName(NAME)
                            .setGeneration(1)
                            .addNodes(NodeAddress.newBuilder()
                                    .setNode(NAME)
                                    .setHost("127.0.0.1")
                                    .setDataPort(CLOSED_PORT))
                            .build());
        } catch (StatusRuntimeException e) {
            // There is no node to answer.
            System.out.println("gabion-agent: " + e.getStatus().getCode() + ", as it should be");
        } finally {
            channel.shutdownNow();
        }
    }
}
