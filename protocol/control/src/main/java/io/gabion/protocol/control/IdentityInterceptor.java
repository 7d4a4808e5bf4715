package io.gabion.protocol.control;

import io.gabion.model.ClusterId;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Set;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/**
 * Lets a call through only when the caller's certificate names this cluster and a role that may make it, and puts the identity under
 * {@link ControlTls#PEER}. Everything else ends with {@code UNAUTHENTICATED} (no usable certificate) or {@code
 * PERMISSION_DENIED} (another cluster or role).
 */
public final class IdentityInterceptor implements ServerInterceptor {
    private final ClusterId cluster;
    private final Callers callers;

    public IdentityInterceptor(ClusterId cluster, Callers callers) {
        this.cluster = cluster;
        this.callers = callers;
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        PeerIdentity peer;
        try {
            peer = identityOf(call);
        } catch (SSLPeerUnverifiedException | CertificateException e) {
            return refuse(call, Status.UNAUTHENTICATED.withDescription(e.getMessage()));
        }
        if (!peer.cluster().equals(cluster)) {
            return refuse(
                    call,
                    Status.PERMISSION_DENIED.withDescription(
                            "the caller's certificate " + peer + " is of another cluster than this one, " + cluster));
        }
        Set<ControlRole> accepted = callers.of(call.getMethodDescriptor());
        if (!accepted.contains(peer.role())) {
            return refuse(
                    call,
                    Status.PERMISSION_DENIED.withDescription("the caller's certificate " + peer
                            + " has a role that may not call "
                            + call.getMethodDescriptor().getFullMethodName() + "; accepted: "
                            + accepted.stream().map(ControlRole::word).sorted().toList()));
        }
        return Contexts.interceptCall(Context.current().withValue(ControlTls.PEER, peer), call, headers, next);
    }

    private static PeerIdentity identityOf(ServerCall<?, ?> call)
            throws SSLPeerUnverifiedException, CertificateException {
        SSLSession session = call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
        if (session == null) {
            throw new SSLPeerUnverifiedException("the connection has no TLS");
        }
        Certificate[] chain = session.getPeerCertificates();
        if (chain.length == 0 || !(chain[0] instanceof X509Certificate leaf)) {
            throw new SSLPeerUnverifiedException("the caller sent no certificate");
        }
        return PeerIdentity.of(leaf);
    }

    private static <Q, A> ServerCall.Listener<Q> refuse(ServerCall<Q, A> call, Status status) {
        call.close(status, new Metadata());
        return new ServerCall.Listener<>() {};
    }
}
