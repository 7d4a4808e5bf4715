package io.gabion.operator.certificate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.model.ClusterId;
import io.gabion.operator.real.Requests;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlTls;
import io.gabion.protocol.control.PeerIdentity;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CertificateAuthorityTest {
    private static final ClusterId CLUSTER = new ClusterId(UUID.randomUUID());
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

    private final CertificateAuthority authority = CertificateAuthority.create(CLUSTER, NOW);

    @Test
    void anAuthorityThatWasStoredSignsLikeTheOneThatWasMade() throws Exception {
        CertificateAuthority loaded =
                CertificateAuthority.load(CLUSTER, authority.certificatesPem(), authority.keyPem());
        PeerIdentity identity = new PeerIdentity(CLUSTER, ControlRole.NODE, "n1");

        X509Certificate leaf = loaded.sign(Requests.keyPair("secp256r1").getPublic(), identity, NOW);

        leaf.verify(Pem.certificates(authority.certificatesPem()).getFirst().getPublicKey());
        assertThat(PeerIdentity.of(leaf)).isEqualTo(identity);
        assertThat(leaf.getBasicConstraints()).isEqualTo(-1);
        assertThat(leaf.getNotAfter().toInstant()).isEqualTo(NOW.plus(CertificateAuthority.LEAF_LIFETIME));
        assertThat(leaf.getNotBefore().toInstant()).isBefore(NOW);
    }

    @Test
    void aKeyOfAnotherRootIsNoticedBeforeItSignsAnything() {
        CertificateAuthority other = CertificateAuthority.create(CLUSTER, NOW);
        assertThatThrownBy(() -> CertificateAuthority.load(CLUSTER, authority.certificatesPem(), other.keyPem()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("does not belong to a certificate");
    }

    @Test
    void aRootIsReplacedStepByStepByCertificatesAndThenTheKey() throws Exception {
        CertificateAuthority next = CertificateAuthority.create(CLUSTER, NOW);
        String both = authority.certificatesPem() + next.certificatesPem();
        PeerIdentity identity = new PeerIdentity(CLUSTER, ControlRole.NODE, "n1");

        CertificateAuthority before = CertificateAuthority.load(CLUSTER, both, authority.keyPem());
        CertificateAuthority after = CertificateAuthority.load(CLUSTER, both, next.keyPem());

        assertThat(before.certificatesPem()).isEqualTo(both);
        assertThat(after.certificatesPem()).isEqualTo(both);
        assertThat(before.sameAs(after)).isFalse();
        before.sign(Requests.keyPair("secp256r1").getPublic(), identity, NOW)
                .verify(Pem.certificates(both).getFirst().getPublicKey());
        after.sign(Requests.keyPair("secp256r1").getPublic(), identity, NOW)
                .verify(Pem.certificates(both).getLast().getPublicKey());
    }

    @Test
    void theOperatorHasANewCertificateAsSoonAsTheRootIsAnother(@TempDir Path directory) throws Exception {
        Instant now = Instant.now();
        OperatorIdentity identity = new OperatorIdentity(directory, () -> now);
        CertificateAuthority old = CertificateAuthority.create(CLUSTER, now);
        ControlTls first = identity.tls(Optional.of(old)).orElseThrow();
        CertificateAuthority same = CertificateAuthority.load(CLUSTER, old.certificatesPem(), old.keyPem());
        assertThat(identity.tls(Optional.of(same))).containsSame(first);
        assertThat(identity.tls(Optional.of(CertificateAuthority.create(CLUSTER, now))))
                .isPresent()
                .get()
                .isNotSameAs(first);
    }

    @Test
    void aLeafIsNoAuthority() throws Exception {
        PeerIdentity identity = new PeerIdentity(CLUSTER, ControlRole.NODE, "n1");
        String leaf = CertificateAuthority.pem(
                authority.sign(Requests.keyPair("secp256r1").getPublic(), identity, NOW));
        assertThatThrownBy(() -> CertificateAuthority.load(CLUSTER, leaf, authority.keyPem()))
                .hasMessageContaining("not one of an authority");
    }

    @Test
    void aLongNodeNameStandsWholeInTheIdentityAlthoughTheCommonNameIsCut() throws Exception {
        PeerIdentity identity = new PeerIdentity(CLUSTER, ControlRole.NODE, "n".repeat(200));
        X509Certificate leaf = authority.sign(Requests.keyPair("secp256r1").getPublic(), identity, NOW);
        assertThat(PeerIdentity.of(leaf)).isEqualTo(identity);
    }

    @Test
    void theOperatorRenewsItsOwnCertificateWhenAThirdOfItsLifeIsOver(@TempDir Path directory) throws Exception {
        AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
        CertificateAuthority fresh = CertificateAuthority.create(CLUSTER, now.get());
        OperatorIdentity identity = new OperatorIdentity(directory, now::get);
        assertThat(identity.tls(Optional.empty())).isEmpty();
        ControlTls first = identity.tls(Optional.of(fresh)).orElseThrow();

        now.set(now.get().plus(Duration.ofDays(2)));
        assertThat(identity.tls(Optional.of(fresh))).containsSame(first);
        now.set(now.get().plus(Duration.ofDays(1)));
        assertThat(identity.tls(Optional.of(fresh)).orElseThrow()).isNotSameAs(first);
    }
}
