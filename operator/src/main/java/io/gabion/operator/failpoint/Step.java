package io.gabion.operator.failpoint;

/** The steps of the operator that change something outside it. A crash before or after any of them must heal. */
public enum Step {
    LABEL_VOLUME,
    UNLABEL_VOLUME,
    CREATE_RECORD,
    COPY_SPEC,
    ADD_REPLICA,
    REMOVE_REPLICA,
    RETIRE_REPLICA,
    DROP_GONE_REPLICA,
    MARK_DELETING,
    BURY_REPLICA,
    DROP_BURIED_REPLICA,
    FORGET_VOLUME,
    HAND_OVER,
    REPORT_VOLUME,
    CREATE_CLUSTER,
    CREATE_AUTHORITY,
    PUBLISH_AUTHORITY,
    PUBLISH_CLUSTER_ID,
    CREATE_STORAGE_NODE,
    RESOLVE_DISKS,
    CLEAR_TOMBSTONE,
    REPORT_NODE,
    REPORT_POOL,
    REPORT_CLUSTER,
    APPROVE_REQUEST,
    SIGN_REQUEST,
    RESTART_NODE
}
