package io.gabion.wire;

/** What was received is not the protocol. Ends the connection and nothing more. */
final class WireFormatException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ProtocolFault fault;

    WireFormatException(ProtocolFault fault, String message) {
        // No stack trace: a peer may provoke many of these, and the message names the place.
        super(message, null, false, false);
        this.fault = fault;
    }

    ProtocolFault fault() {
        return fault;
    }
}
