package io.gabion.protocol.control;

import io.gabion.model.ClusterId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A throw-away CA for tests, made with {@code openssl}; files lie in the directory given. */
public final class TestCertificates {
    private static final int OPENSSL_TIMEOUT_SECONDS = 20;

    private final Path directory;
    private final ClusterId cluster;

    private TestCertificates(Path directory, ClusterId cluster) {
        this.directory = directory;
        this.cluster = cluster;
    }

    public static TestCertificates create(Path directory, ClusterId cluster) throws IOException {
        Files.createDirectories(directory);
        TestCertificates ca = new TestCertificates(directory, cluster);
        openssl(
                directory,
                List.of(
                        "req",
                        "-x509",
                        "-newkey",
                        "ec",
                        "-pkeyopt",
                        "ec_paramgen_curve:P-256",
                        "-nodes",
                        "-days",
                        "2",
                        "-subj",
                        "/CN=test CA",
                        "-keyout",
                        "ca.key",
                        "-out",
                        "ca.crt"));
        return ca;
    }

    public ClusterId cluster() {
        return cluster;
    }

    public Path ca() {
        return directory.resolve("ca.crt");
    }

    public Path certificate(String name) {
        return directory.resolve(name + ".crt");
    }

    public Path key(String name) {
        return directory.resolve(name + ".key");
    }

    /** Issues NAME.crt and NAME.key for the role; existing files stay. */
    public ControlTls issue(ControlRole role, String name) throws IOException {
        issue(name, new PeerIdentity(cluster, role, name).toString());
        return ControlTls.load(cluster, certificate(name), key(name), ca());
    }

    /** Issues a certificate with any URI, also a wrong one. */
    public void issue(String name, String uri) throws IOException {
        if (Files.exists(certificate(name))) {
            return;
        }
        openssl(
                directory,
                List.of(
                        "req",
                        "-x509",
                        "-newkey",
                        "ec",
                        "-pkeyopt",
                        "ec_paramgen_curve:P-256",
                        "-nodes",
                        "-days",
                        "2",
                        "-CA",
                        "ca.crt",
                        "-CAkey",
                        "ca.key",
                        "-subj",
                        "/CN=" + name,
                        "-addext",
                        "basicConstraints=critical,CA:FALSE",
                        "-addext",
                        "subjectAltName=URI:" + uri,
                        "-keyout",
                        name + ".key",
                        "-out",
                        name + ".crt"));
    }

    private static void openssl(Path directory, List<String> arguments) throws IOException {
        List<String> command = new java.util.ArrayList<>(List.of("openssl"));
        command.addAll(arguments);
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (!process.waitFor(OPENSSL_TIMEOUT_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IOException("openssl failed: " + output);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
