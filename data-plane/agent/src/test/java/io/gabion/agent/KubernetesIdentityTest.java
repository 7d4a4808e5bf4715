package io.gabion.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.agent.nbd.TestAuthority;
import io.gabion.api.certificate.CertificateFiles;
import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import io.gabion.process.Readiness;
import io.gabion.wire.TlsEngine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KubernetesIdentityTest {
    private static final ClusterId CLUSTER = new ClusterId(new UUID(1, 2));

    @TempDir
    Path directory;

    private CertificateFiles files;

    @BeforeEach
    void keepACertificate() throws Exception {
        TestAuthority authority = TestAuthority.create(directory.resolve("ca"));
        authority.issue("node-1", "spiffe://" + CLUSTER + "/agent/node-1");
        files = CertificateFiles.in(Files.createDirectory(directory.resolve("certificates")));
        Files.copy(authority.certificate("node-1"), files.certificate());
        Files.copy(authority.key("node-1"), files.key());
        Files.copy(authority.authorities(), files.ca());
    }

    private KubernetesIdentity identity(String name, Duration fromNow) {
        Instant then = Instant.now().plus(fromNow);
        return new KubernetesIdentity(
                new NodeName(name),
                directory,
                TlsEngine.Choice.JDK,
                new Readiness(),
                () -> {
                    throw new IllegalStateException("the API server was asked");
                },
                InstantSource.fixed(then));
    }

    @Test
    void keptCertificateNeedsNoApiServer() throws Exception {
        assertThat(identity("node-1", Duration.ZERO).obtain().identity().cluster())
                .isEqualTo(CLUSTER);
    }

    @Test
    void certificateThatIsAlmostOverIsAskedForAgain() {
        assertThatThrownBy(identity("node-1", Duration.ofDays(2).minusMinutes(5))::obtain)
                .hasMessage("the API server was asked");
    }

    @Test
    void certificateOfAnotherNodeIsNotUsed() {
        assertThatThrownBy(identity("node-2", Duration.ZERO)::obtain).hasMessage("the API server was asked");
    }

    @Test
    void brokenFilesAreNotUsed() throws Exception {
        Files.writeString(files.key(), "none");
        assertThatThrownBy(identity("node-1", Duration.ZERO)::obtain).hasMessage("the API server was asked");
        Files.writeString(files.certificate(), "none");
        assertThatThrownBy(identity("node-1", Duration.ZERO)::obtain).hasMessage("the API server was asked");
    }
}
