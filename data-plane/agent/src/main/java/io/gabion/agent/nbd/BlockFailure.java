package io.gabion.agent.nbd;

/** Why a command failed for good. Waiting and failing over are not failures. */
public enum BlockFailure {
    /** Outside the device. */
    OUT_OF_RANGE,
    /** No space, and the volume's policy is to say so. */
    NO_SPACE,
    /** No copy can return the right bytes. */
    UNREADABLE,
    /** The device may only be read. */
    READ_ONLY,
    /** The export was closed: detached, or another agent owns the volume now. */
    CLOSED
}
