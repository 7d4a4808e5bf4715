package io.gabion.protocol.control;

import static java.util.Objects.requireNonNull;

import io.gabion.model.ClusterId;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Who a certificate belongs to: the one URI of the form {@code spiffe://CLUSTER/ROLE/NAME} among its subject alternative
 * names. Host names and addresses in a certificate are ignored: addresses are never identities.
 */
public record PeerIdentity(ClusterId cluster, ControlRole role, String name) {
    private static final String SCHEME = "spiffe://";
    /** Type of a URI among the subject alternative names (RFC 5280, GeneralName). */
    private static final int SAN_URI = 6;
    /** Longer names cannot be a node's; refused before anything else looks at them. */
    private static final int MAX_URI_LENGTH = 512;

    public PeerIdentity {
        requireNonNull(cluster, "cluster is null");
        requireNonNull(role, "role is null");
        requireNonNull(name, "name is null");
    }

    /** Throws {@link CertificateException} when the certificate carries no identity, more than one, or a malformed one. */
    public static PeerIdentity of(X509Certificate certificate) throws CertificateException {
        Collection<List<?>> names = certificate.getSubjectAlternativeNames();
        List<String> found = new ArrayList<>();
        if (names != null) {
            for (List<?> entry : names) {
                if (entry.get(0) instanceof Integer type
                        && type == SAN_URI
                        && entry.get(1) instanceof String uri
                        && uri.startsWith(SCHEME)) {
                    found.add(uri);
                }
            }
        }
        if (found.size() != 1) {
            throw new CertificateException("the certificate of \""
                    + certificate.getSubjectX500Principal().getName() + "\" must carry exactly one subject alternative"
                    + " name spiffe://CLUSTER/ROLE/NAME, not " + found.size());
        }
        return ofUri(found.getFirst());
    }

    /** Parses {@code spiffe://CLUSTER/ROLE/NAME}. */
    public static PeerIdentity ofUri(String uri) throws CertificateException {
        if (uri.length() > MAX_URI_LENGTH || !uri.startsWith(SCHEME)) {
            throw malformed(uri, "it is not spiffe://CLUSTER/ROLE/NAME");
        }
        String[] parts = uri.substring(SCHEME.length()).split("/", -1);
        if (parts.length != 3 || parts[2].isEmpty()) {
            throw malformed(uri, "it is not spiffe://CLUSTER/ROLE/NAME");
        }
        ControlRole role =
                ControlRole.ofWord(parts[1]).orElseThrow(() -> malformed(uri, "unknown role \"" + parts[1] + "\""));
        try {
            return new PeerIdentity(ClusterId.of(parts[0]), role, parts[2]);
        } catch (IllegalArgumentException e) {
            throw new CertificateException(
                    "identity " + uri + " in the certificate: \"" + parts[0] + "\" is not a cluster id", e);
        }
    }

    private static CertificateException malformed(String uri, String problem) {
        String shown = uri.length() > MAX_URI_LENGTH ? uri.substring(0, MAX_URI_LENGTH) + "..." : uri;
        return new CertificateException("identity " + shown + " in the certificate: " + problem);
    }

    @Override
    public String toString() {
        return SCHEME + cluster + "/" + role.word() + "/" + name;
    }
}
