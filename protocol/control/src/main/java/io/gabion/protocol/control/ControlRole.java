package io.gabion.protocol.control;

import java.util.Optional;

/** What a process of the cluster is, as its certificate says: the second part of {@code spiffe://CLUSTER/ROLE/NAME}. */
public enum ControlRole {
    NODE("node"),
    AGENT("agent"),
    /** A person or tool that may change everything: the {@code gabion} command, the operator. */
    OPERATOR("operator"),
    /** The controller of the CSI driver: asks storage nodes what they serve, changes nothing there. */
    CSI_CONTROLLER("csi-controller"),
    CONFIGURATION_STORE("configuration-store");

    private final String word;

    ControlRole(String word) {
        this.word = word;
    }

    /** The word in certificates. */
    public String word() {
        return word;
    }

    public static Optional<ControlRole> ofWord(String word) {
        for (ControlRole role : values()) {
            if (role.word.equals(word)) {
                return Optional.of(role);
            }
        }
        return Optional.empty();
    }
}
