package io.gabion.wire;

/** In which way a peer broke the protocol. */
public enum ProtocolFault {
    BAD_MAGIC,
    BAD_HEADER_CHECKSUM,
    BAD_BODY_CHECKSUM,
    BAD_PAYLOAD_CHECKSUM,
    /** Frame type unknown in the negotiated version. */
    UNKNOWN_TYPE,
    /** Body, payload or a list in it longer than its limit. */
    TOO_LONG,
    /** The body does not have the form of its type, or holds values that no message may have. */
    MALFORMED,
    /** A well-formed message that this role may not send, or not now. */
    OUT_OF_PLACE
}
