package io.gabion.protocol.control;

import io.gabion.model.ClusterId;
import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * Trusts a server whose chain leads to the cluster's CA and whose certificate names this cluster and a wanted role. The
 * server's host name is not compared: a process keeps its identity when its address changes.
 */
final class IdentityTrust extends X509ExtendedTrustManager {
    private final X509TrustManager chain;
    private final ClusterId cluster;
    private final Set<ControlRole> serverRoles;

    IdentityTrust(X509TrustManager chain, ClusterId cluster, Set<ControlRole> serverRoles) {
        this.chain = chain;
        this.cluster = cluster;
        this.serverRoles = Set.copyOf(serverRoles);
    }

    private void checkServer(X509Certificate[] certificates, String authType) throws CertificateException {
        // The two-argument form checks the chain only, without the host name.
        chain.checkServerTrusted(certificates, authType);
        PeerIdentity server = PeerIdentity.of(certificates[0]);
        if (!server.cluster().equals(cluster)) {
            throw new CertificateException(
                    "the server " + server + " belongs to another cluster, this process to " + cluster);
        }
        if (!serverRoles.contains(server.role())) {
            throw new CertificateException("the server " + server + " has another role than wanted " + serverRoles);
        }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] certificates, String authType, Socket socket)
            throws CertificateException {
        checkServer(certificates, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] certificates, String authType, SSLEngine engine)
            throws CertificateException {
        checkServer(certificates, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] certificates, String authType) throws CertificateException {
        checkServer(certificates, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] certificates, String authType, Socket socket)
            throws CertificateException {
        chain.checkClientTrusted(certificates, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] certificates, String authType, SSLEngine engine)
            throws CertificateException {
        chain.checkClientTrusted(certificates, authType);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] certificates, String authType) throws CertificateException {
        chain.checkClientTrusted(certificates, authType);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return chain.getAcceptedIssuers();
    }
}
