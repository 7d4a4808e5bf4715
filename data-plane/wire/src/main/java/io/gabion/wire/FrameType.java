package io.gabion.wire;

import org.jspecify.annotations.Nullable;

/** Types of frames; the codes are on the wire and never re-used. */
enum FrameType {
    HELLO(0x01, Family.CONTROL, Frames.SMALL_BODY_BYTES, false),
    WELCOME(0x02, Family.CONTROL, Frames.SMALL_BODY_BYTES, false),
    REFUSED(0x03, Family.CONTROL, Frames.SMALL_BODY_BYTES, false),
    GOODBYE(0x04, Family.CONTROL, Frames.SMALL_BODY_BYTES, false),
    KEEP_ALIVE(0x05, Family.CONTROL, 0, false),

    HEARTBEAT(0x10, Family.NODE, Frames.LIST_BODY_BYTES, false),
    HEARTBEAT_ACK(0x11, Family.NODE, Frames.LIST_BODY_BYTES, false),

    NEW_EPOCH(0x20, Family.PEER, Frames.LIST_BODY_BYTES, false),
    EPOCH_PROMISED(0x21, Family.PEER, Frames.LIST_BODY_BYTES, false),
    EPOCH_REFUSED(0x22, Family.PEER, Frames.SMALL_BODY_BYTES, false),
    RECONCILE(0x23, Family.PEER, Frames.LIST_BODY_BYTES, true),
    RECONCILE_END(0x24, Family.PEER, Frames.LIST_BODY_BYTES, false),
    RECONCILED(0x25, Family.PEER, Frames.SMALL_BODY_BYTES, false),
    REPLICATE(0x26, Family.PEER, Frames.SMALL_BODY_BYTES, true),
    DURABLE(0x27, Family.PEER, Frames.SMALL_BODY_BYTES, false),
    COMMITTED(0x28, Family.PEER, Frames.SMALL_BODY_BYTES, false),
    MEMBER_FAULTED(0x29, Family.PEER, Frames.SMALL_BODY_BYTES, false),
    RESUME(0x2A, Family.PEER, Frames.SMALL_BODY_BYTES, false),
    TAKE_OVER(0x2B, Family.PEER, Frames.SMALL_BODY_BYTES, false),
    STATE_REPORT(0x2C, Family.PEER, Frames.SMALL_BODY_BYTES, false),
    JOIN_REQUEST(0x2D, Family.PEER, Frames.SMALL_BODY_BYTES, false),
    JOIN_START(0x2E, Family.PEER, Frames.LIST_BODY_BYTES, false),
    JOIN_REFUSED(0x2F, Family.PEER, Frames.SMALL_BODY_BYTES, false),
    DIFFERENCE_QUERY(0x30, Family.PEER, Frames.TABLE_BODY_BYTES, false),
    DIFFERENCES(0x31, Family.PEER, Frames.TABLE_BODY_BYTES, false),
    FETCH_BLOCKS(0x32, Family.PEER, Frames.LIST_BODY_BYTES, false),
    BLOCKS(0x33, Family.PEER, Frames.LIST_BODY_BYTES, true),
    BLOCKS_UNREADABLE(0x34, Family.PEER, Frames.SMALL_BODY_BYTES, false),
    COPY_COMPLETE(0x35, Family.PEER, Frames.SMALL_BODY_BYTES, false),
    REGIONS_AT(0x36, Family.PEER, Frames.TABLE_BODY_BYTES, false),
    STILL_DIFFERENT(0x37, Family.PEER, Frames.TABLE_BODY_BYTES, false),

    OPEN(0x60, Family.REQUEST, Frames.SMALL_BODY_BYTES, false),
    CLOSE(0x61, Family.REQUEST, Frames.SMALL_BODY_BYTES, false),
    WRITE(0x62, Family.REQUEST, Frames.SMALL_BODY_BYTES, true),
    READ(0x63, Family.REQUEST, Frames.SMALL_BODY_BYTES, false),
    TRIM(0x64, Family.REQUEST, Frames.SMALL_BODY_BYTES, false),
    FLUSH(0x65, Family.REQUEST, Frames.SMALL_BODY_BYTES, false),
    BLOCK_STATUS(0x66, Family.REQUEST, Frames.SMALL_BODY_BYTES, false),

    OPENED(0x70, Family.RESPONSE, Frames.SMALL_BODY_BYTES, false),
    NOT_PRIMARY(0x71, Family.RESPONSE, Frames.SMALL_BODY_BYTES, false),
    SESSION_FENCED(0x72, Family.RESPONSE, Frames.SMALL_BODY_BYTES, false),
    NOT_ATTACHED(0x73, Family.RESPONSE, Frames.SMALL_BODY_BYTES, false),
    UNKNOWN_VOLUME(0x74, Family.RESPONSE, Frames.SMALL_BODY_BYTES, false),
    DONE(0x75, Family.RESPONSE, Frames.SMALL_BODY_BYTES, false),
    READ_DONE(0x76, Family.RESPONSE, Frames.SMALL_BODY_BYTES, true),
    BLOCK_STATUS_DONE(0x77, Family.RESPONSE, Frames.LIST_BODY_BYTES, false);

    /** Who may send it. */
    enum Family {
        /** Both sides, about the connection itself. */
        CONTROL,
        /** Node to node. */
        NODE,
        /** Node to node. */
        PEER,
        /** Agent to node. */
        REQUEST,
        /** Node to agent. */
        RESPONSE;

        /** May a peer of role {@code sender} send this to a process of role {@code receiver}? */
        boolean mayFlow(Role sender, Role receiver) {
            return switch (this) {
                case CONTROL -> true;
                case NODE, PEER -> sender == Role.NODE && receiver == Role.NODE;
                case REQUEST -> sender == Role.AGENT && receiver == Role.NODE;
                case RESPONSE -> sender == Role.NODE && receiver == Role.AGENT;
            };
        }
    }

    private static final int CODES = 256;
    private static final @Nullable FrameType[] BY_CODE = new @Nullable FrameType[CODES];

    static {
        for (FrameType type : values()) {
            BY_CODE[type.code] = type;
        }
    }

    private final int code;
    private final Family family;
    private final int maxBodyBytes;
    private final boolean carriesPayload;

    FrameType(int code, Family family, int maxBodyBytes, boolean carriesPayload) {
        this.code = code;
        this.family = family;
        this.maxBodyBytes = maxBodyBytes;
        this.carriesPayload = carriesPayload;
    }

    static @Nullable FrameType ofCode(int code) {
        return BY_CODE[code & 0xFF];
    }

    int code() {
        return code;
    }

    Family family() {
        return family;
    }

    int maxBodyBytes() {
        return maxBodyBytes;
    }

    int maxPayloadBytes() {
        return carriesPayload ? Frames.MAX_PAYLOAD_BYTES : 0;
    }
}
