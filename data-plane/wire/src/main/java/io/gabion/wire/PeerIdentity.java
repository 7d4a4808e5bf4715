package io.gabion.wire;

import static java.util.Objects.requireNonNull;

import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import java.net.URI;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Whom a certificate speaks for: its only subject alternative name of the form {@code spiffe://<clusterId>/<role>/<nodeName>}.
 * The subject and all other names count for nothing.
 */
public record PeerIdentity(ClusterId cluster, Role role, NodeName node) {
    private static final String SCHEME = "spiffe";
    private static final int SAN_TYPE_URI = 6;

    public PeerIdentity {
        requireNonNull(cluster, "cluster is null");
        requireNonNull(role, "role is null");
        requireNonNull(node, "node is null");
    }

    /** Parses the URI form; empty when it is no identity of Gabion. */
    public static Optional<PeerIdentity> parse(String text) {
        try {
            URI uri = URI.create(text);
            String path = uri.getPath();
            if (!SCHEME.equals(uri.getScheme()) || uri.getHost() == null || path == null) {
                return Optional.empty();
            }
            String[] parts = path.split("/", -1);
            if (parts.length != 3 || !parts[0].isEmpty()) {
                return Optional.empty();
            }
            ClusterId cluster = ClusterId.of(uri.getHost());
            NodeName node = new NodeName(parts[2]);
            return Role.ofText(parts[1]).map(role -> new PeerIdentity(cluster, role, node));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Identity in a certificate; empty when it has none or more than one. */
    public static Optional<PeerIdentity> of(X509Certificate certificate) {
        List<PeerIdentity> found = new ArrayList<>();
        try {
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            if (names == null) {
                return Optional.empty();
            }
            for (List<?> name : names) {
                if (name.get(0) instanceof Integer type && type == SAN_TYPE_URI && name.get(1) instanceof String text) {
                    parse(text).ifPresent(found::add);
                }
            }
        } catch (CertificateParsingException e) {
            return Optional.empty();
        }
        return found.size() == 1 ? Optional.of(found.getFirst()) : Optional.empty();
    }

    @Override
    public String toString() {
        return SCHEME + "://" + cluster + "/" + role + "/" + node;
    }
}
