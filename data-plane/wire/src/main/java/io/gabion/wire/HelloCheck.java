package io.gabion.wire;

import io.gabion.model.NodeName;
import io.gabion.wire.ControlFrame.Refused;
import io.netty.handler.ssl.SslHandler;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Optional;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/** Whether to speak with a peer at all. */
final class HelloCheck {
    private HelloCheck() {}

    /** Identity in the certificate that the peer proved; empty when there is none of ours in it. */
    static Optional<PeerIdentity> certified(SslHandler tls) {
        try {
            Certificate[] chain = tls.engine().getSession().getPeerCertificates();
            return chain.length > 0 && chain[0] instanceof X509Certificate leaf
                    ? PeerIdentity.of(leaf)
                    : Optional.empty();
        } catch (SSLPeerUnverifiedException e) {
            return Optional.empty();
        }
    }

    /**
     * Checks the certificate alone.
     *
     * @param expected name of the storage node that was called; null on the accepting side
     * @return why not, or null
     */
    static @Nullable Refused ofCertificate(
            Optional<PeerIdentity> certified, PeerIdentity self, @Nullable NodeName expected) {
        if (certified.isEmpty()) {
            return new Refused(
                    Refusal.NOT_THE_CERTIFICATE,
                    "your certificate has no single name of the form spiffe://<clusterId>/<role>/<nodeName>");
        }
        PeerIdentity peer = certified.get();
        if (!peer.cluster().equals(self.cluster())) {
            return new Refused(
                    Refusal.OTHER_CLUSTER,
                    "your certificate is of cluster " + peer.cluster() + ", this is cluster " + self.cluster());
        }
        if (expected != null && (peer.role() != Role.NODE || !peer.node().equals(expected))) {
            return new Refused(
                    Refusal.UNEXPECTED_PEER,
                    "expected node/" + expected + " at this address, but the certificate is for " + peer.role() + "/"
                            + peer.node());
        }
        if (expected == null && peer.role() != Role.NODE && peer.role() != Role.AGENT) {
            return new Refused(Refusal.ROLE_NOT_SERVED, "this port serves nodes and agents, not " + peer.role());
        }
        return null;
    }

    /** Checks what the peer says of itself against its certificate and against this process; returns why not, or null. */
    static @Nullable Refused ofHello(Hello hello, PeerIdentity certified, Hello self) {
        if (!hello.cluster().equals(self.cluster())) {
            return new Refused(
                    Refusal.OTHER_CLUSTER,
                    "you are of cluster " + hello.cluster() + ", this is cluster " + self.cluster());
        }
        if (!hello.identity().equals(certified)) {
            return new Refused(
                    Refusal.NOT_THE_CERTIFICATE,
                    "you say that you are " + hello.role() + "/" + hello.node() + ", your certificate says "
                            + certified.role() + "/" + certified.node());
        }
        if (commonVersion(hello, self) == 0) {
            return new Refused(
                    Refusal.NO_COMMON_VERSION,
                    "you speak versions " + hello.minVersion() + " to " + hello.maxVersion() + ", "
                            + self.role() + "/" + self.node() + " speaks " + self.minVersion() + " to "
                            + self.maxVersion());
        }
        if (hello.process().equals(self.process())
                || (hello.role() == self.role() && hello.node().equals(self.node()))) {
            return new Refused(
                    Refusal.DUPLICATE,
                    "you say that you are " + hello.role() + "/" + hello.node() + ", but that is this process");
        }
        return null;
    }

    /** Highest version that both speak; 0 when there is none. */
    static int commonVersion(Hello a, Hello b) {
        int highest = Math.min(a.maxVersion(), b.maxVersion());
        return highest >= Math.max(a.minVersion(), b.minVersion()) ? highest : 0;
    }
}
