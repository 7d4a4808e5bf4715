package io.gabion.wire;

import java.util.Locale;

/** How a loop talks to the kernel. */
public enum Backend {
    IO_URING,
    EPOLL,
    NIO;

    /** As in options, logs and metrics: {@code io_uring}, {@code epoll}, {@code nio}. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** What an operator asks for. */
    public enum Choice {
        /** io_uring, else epoll, else NIO: the first that this kernel and this installation can do. */
        AUTO,
        IO_URING,
        EPOLL,
        NIO;

        /** Parses {@code auto|io_uring|epoll|nio}; throws {@link IllegalArgumentException} naming the choices. */
        public static Choice parse(String text) {
            for (Choice choice : values()) {
                if (choice.name().toLowerCase(Locale.ROOT).equals(text)) {
                    return choice;
                }
            }
            throw new IllegalArgumentException(
                    "I/O back end must be auto, io_uring, epoll or nio, not \"" + text + "\"");
        }
    }
}
