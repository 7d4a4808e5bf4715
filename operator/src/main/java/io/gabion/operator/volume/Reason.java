package io.gabion.operator.volume;

/** Reasons of a Volume's conditions and Events; the words of the health codes in the documentation. */
public enum Reason {
    ALL_IN_SYNC("AllInSync"),
    SERVING("Serving"),
    PLACED("Placed"),
    PENDING("Pending"),
    NO_PLACEMENT("NoPlacement"),
    POOL_NOT_FOUND("PoolNotFound"),
    INVALID_SPEC("InvalidSpec"),
    REPLICA_LOST("ReplicaLost"),
    REPLICA_MISSING("ReplicaMissing"),
    REBUILDING("Rebuilding"),
    TOO_FEW_IN_SYNC("TooFewInSync"),
    PRIMARY_LOST("PrimaryLost"),
    ATTACHED("Attached"),
    DETACHED("Detached"),
    SCALING("Scaling"),
    GROWING("Growing"),
    DELETING("Deleting"),
    IN_USE("InUse"),
    DELETION_PROTECTED("DeletionProtected"),
    RECORD_REFUSED("RecordRefused"),
    SETTLED("Settled"),
    UNHINDERED("Unhindered");

    private final String word;

    Reason(String word) {
        this.word = word;
    }

    /** As in conditions and Events. */
    public String word() {
        return word;
    }
}
