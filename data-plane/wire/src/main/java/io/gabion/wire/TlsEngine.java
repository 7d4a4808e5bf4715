package io.gabion.wire;

import java.util.Locale;

/** Who does the cryptography of TLS. */
public enum TlsEngine {
    /** The JDK's own; always there. */
    JDK,
    /** BoringSSL through netty-tcnative; where its native library is on the class path. */
    BORINGSSL;

    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** What an operator asks for. */
    public enum Choice {
        /** BoringSSL where it is there, else the JDK. */
        AUTO,
        JDK,
        BORINGSSL;

        /** Parses {@code auto|jdk|boringssl}; throws {@link IllegalArgumentException} naming the choices. */
        public static Choice parse(String text) {
            for (Choice choice : values()) {
                if (choice.name().toLowerCase(Locale.ROOT).equals(text)) {
                    return choice;
                }
            }
            throw new IllegalArgumentException("TLS engine must be auto, jdk or boringssl, not \"" + text + "\"");
        }
    }
}
