package io.gabion.api.certificate;

import io.gabion.model.ClusterId;
import java.util.regex.Pattern;

/**
 * Who a certificate is for.
 *
 * @param role node, agent, operator: as in the URI
 * @param name of the Kubernetes node, or of the component
 */
public record Identity(ClusterId cluster, String role, String name) {
    private static final Pattern ROLE = Pattern.compile("[a-z]([-a-z]{0,61}[a-z])?");
    private static final Pattern NAME = Pattern.compile("[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?");

    public Identity {
        if (!ROLE.matcher(role).matches()) {
            throw new IllegalArgumentException("role \"" + role + "\" must be lower-case letters and '-'");
        }
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("name \"" + name + "\" must be lower-case letters, digits, '-' or '.'");
        }
    }

    /** {@code spiffe://CLUSTER/ROLE/NAME}. */
    public String uri() {
        return "spiffe://" + cluster + "/" + role + "/" + name;
    }
}
