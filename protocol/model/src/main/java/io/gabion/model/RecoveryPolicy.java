package io.gabion.model;

/** Who must have returned before a volume whose in-sync replicas all lost power goes on. */
public enum RecoveryPolicy {
    /** After the waiting time any one in-sync member may go on alone: each of them holds every acknowledged write. */
    ANY,
    /** All in-sync members must be back. */
    ALL
}
