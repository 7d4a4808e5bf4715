package io.gabion.simulator.cluster;

/** Everything that a run can do to a cluster. */
public enum FaultKind {
    /** A process dies and is started again soon. */
    KILL,
    /** A process dies several times in a row. */
    KILL_REPEATEDLY,
    /** A machine loses power. */
    CRASH,
    /** All processes die together, the machines live. */
    KILL_ALL,
    /** All machines lose power together. */
    POWER_CYCLE_ALL,
    /** Like SIGSTOP, for seconds. */
    PAUSE,
    /** A process stops in good order. */
    SHUTDOWN,
    /** An operator moves the primary. */
    HANDOVER,
    RESET_LINK,
    CUT_LINK,
    CUT_ONE_WAY,
    /** A node is cut from all other nodes, not from its clients. */
    ISOLATE,
    SLOW_PATH,
    CONFIGURATION_DOWN,
    CONFIGURATION_CUT,
    /** Replies get lost. */
    CONFIGURATION_LOSSY,
    /** Watches lag behind by many seconds. */
    CONFIGURATION_STALE,
    SLOW_DISK,
    HUNG_DISK,
    /** The store of a replica fails for good; the copy is damaged. Only while all others are well. */
    FAILED_DISK,
    /** A machine comes back with an empty disk. Only while all others are well. */
    EMPTY_DISK,
    /** One block of one copy rots. */
    BIT_ROT,
    CLIENT_LINK_RESET,
    CLIENT_CUT,
    /** The agent dies; another instance takes over under the same generation. */
    CLIENT_REPLACED,
    /** The volume is attached elsewhere, under a higher generation. */
    CLIENT_MOVED,
    GROW,
    /** A replica is added on a spare node; when it is in sync another one is removed. */
    MOVE_REPLICA,
    VERIFY
}
