package io.gabion.wire;

import java.util.Optional;

/** What a process of the cluster is; part of its certificate's name. */
public enum Role {
    /** Storage process. */
    NODE("node", 1),
    /** Consumer's process: NBD and other front ends. */
    AGENT("agent", 2),
    CONFIGURATION_STORE("configuration-store", 3),
    /** Administration: the operator and the command line. */
    OPERATOR("operator", 4);

    private final String text;
    private final int code;

    Role(String text, int code) {
        this.text = text;
        this.code = code;
    }

    /** As in the certificate: {@code node}, {@code agent}, {@code configuration-store}, {@code operator}. */
    public String text() {
        return text;
    }

    /** As on the wire; never re-used. */
    int code() {
        return code;
    }

    public static Optional<Role> ofText(String text) {
        for (Role role : values()) {
            if (role.text.equals(text)) {
                return Optional.of(role);
            }
        }
        return Optional.empty();
    }

    static Optional<Role> ofCode(int code) {
        for (Role role : values()) {
            if (role.code == code) {
                return Optional.of(role);
            }
        }
        return Optional.empty();
    }

    @Override
    public String toString() {
        return text;
    }
}
