package io.gabion.wire;

import java.util.Optional;

/** Why one side does not want to speak with the other; sent to it in so many words. */
public enum Refusal {
    /** The certificate, or the Hello, is of another cluster. */
    OTHER_CLUSTER(1),
    /** The Hello names a machine or role that the certificate does not, or the certificate names none. */
    NOT_THE_CERTIFICATE(2),
    /** The address led to another process than the one that was expected. */
    UNEXPECTED_PEER(3),
    NO_COMMON_VERSION(4),
    /** A process of this role and name is connected already, or it is this process itself. */
    DUPLICATE(5),
    /** This role has no business here. */
    ROLE_NOT_SERVED(6),
    /** Too many connections, or shutting down: try again later. */
    BUSY(7),
    /** TLS failed: no certificate, an untrusted or expired one, another TLS version. */
    TLS(8);

    private final int code;

    Refusal(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    static Optional<Refusal> ofCode(int code) {
        for (Refusal refusal : values()) {
            if (refusal.code == code) {
                return Optional.of(refusal);
            }
        }
        return Optional.empty();
    }
}
