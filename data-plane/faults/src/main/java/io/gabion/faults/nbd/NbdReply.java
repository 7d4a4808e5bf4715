package io.gabion.faults.nbd;

import java.nio.ByteBuffer;

/** How a request ended. A server that takes long is not an ending. */
public sealed interface NbdReply {
    /** The server did it. {@code data} has what was read, from position 0, and is empty for everything but reads. */
    record Done(ByteBuffer data) implements NbdReply {}

    /** The server answered with an error, a Linux errno such as 5 (EIO) or 28 (ENOSPC). */
    record Failed(int errno) implements NbdReply {}

    /** The connection ended before the answer: the request may have taken effect or may do so later. */
    record Disconnected(String reason) implements NbdReply {}
}
