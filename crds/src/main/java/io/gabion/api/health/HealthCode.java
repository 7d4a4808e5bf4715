package io.gabion.api.health;

import static io.gabion.api.health.Severity.CRITICAL;
import static io.gabion.api.health.Severity.INFO;
import static io.gabion.api.health.Severity.WARNING;

/**
 * Every reason that a condition, an event or the list of health codes can give: one word for {@code kubectl get}, what it
 * means, and what a person does about it. The constants are named as the API shows them.
 */
public enum HealthCode {
    // ---- all is well, or on its way
    Pending(INFO, "Nothing is known yet.", "Wait; if it stays, see whether the operator runs."),
    Ready(INFO, "The object does what it should.", "Nothing to do."),
    Reconciled(INFO, "What is wanted is what is there.", "Nothing to do."),
    Progressing(INFO, "A change is on its way.", "Wait; the message says what is awaited."),
    Provisioning(INFO, "The volume is being created.", "Wait; the message says what is awaited."),
    Redundant(INFO, "All wanted copies are in sync.", "Nothing to do."),
    Placed(INFO, "Every wanted copy has its node.", "Nothing to do."),
    Attached(INFO, "A node may open the volume.", "Nothing to do."),
    Detached(INFO, "No node uses the volume.", "Nothing to do."),
    Schedulable(INFO, "New copies may be placed here.", "Nothing to do."),
    Deleting(
            INFO,
            "The data is being erased on every node.",
            "Wait; the message names the nodes that have not confirmed."),
    Paused(
            INFO,
            "The operator changes nothing: spec.paused of the StorageCluster is true.",
            "Set spec.paused to false."),
    NotStalled(INFO, "Nothing stands in the way.", "Nothing to do."),

    // ---- events
    Provisioned(INFO, "The volume can be used.", "Nothing to do."),
    AttachedTo(INFO, "A node was given the right to open the volume.", "Nothing to do."),
    RebuildStarted(INFO, "A copy is being brought up to date.", "Nothing to do."),
    RebuildProgress(INFO, "A copy is being brought up to date.", "Nothing to do."),
    RebuildFinished(INFO, "A copy is up to date again.", "Nothing to do."),
    FailedOver(
            INFO,
            "Another copy orders the writes now.",
            "Nothing to do, unless it happens often: look at the node left."),
    Expanded(INFO, "The volume grew.", "Nothing to do."),
    NodeFenced(INFO, "The sessions of a lost node were ended so that its pods can start elsewhere.", "Nothing to do."),

    // ---- volumes
    NoPlacement(
            WARNING,
            "No node can take a missing copy: the message says why for each.",
            "Add a node or a disk in another failure domain, free space, or lower spec.replicas."),
    ReplicaLost(
            WARNING,
            "A copy is out of sync or its node is away.",
            "Bring the node back; else the copy is replaced after replicaReplacementDelay of the pool."),
    ReplicaRebuilding(WARNING, "A copy is being brought up to date.", "Wait; redundancy returns by itself."),
    OneCopyLeft(
            CRITICAL,
            "Only one copy is in sync although more are wanted.",
            "Bring the nodes back or add some; do not restart the node with the last copy."),
    TooFewCopies(
            CRITICAL,
            "Fewer copies than minInSync are in sync: writes wait.",
            "Bring the nodes back, or lower spec.minInSync knowing that fewer copies hold new data."),
    Unavailable(
            CRITICAL,
            "No copy can serve the volume.",
            "Bring back a node that holds an in-sync copy; the message names them."),
    ReplicaFaulted(
            WARNING,
            "A copy cannot be used: the message says why.",
            "Look at the disk of the node; the copy is replaced."),
    InUse(WARNING, "The volume is to be deleted, but a pod uses it.", "Delete the pod that the message names."),
    DeletionProtected(
            WARNING,
            "The volume is to be deleted, but spec.deletionProtection is true.",
            "Set spec.deletionProtection to false if you mean it."),
    WaitingForNode(
            WARNING,
            "Something waits for a node that is away.",
            "Bring the node back, or delete its Node object if it is gone for ever."),
    PoolNotFound(
            WARNING, "The StoragePool that spec.pool names does not exist.", "Create the pool or correct the name."),
    PoolFull(CRITICAL, "There is no space for new data.", "Add disks or nodes to the pool, or delete volumes."),
    InvalidSpec(WARNING, "The specification cannot be followed: the message names the field.", "Correct the field."),
    EpochRegression(
            CRITICAL,
            "The record is older than what copies on disks have seen: it was restored or made anew.",
            "Follow the guide for recovery; do not delete anything."),
    RecordDamaged(
            CRITICAL, "status holds what no component wrote.", "Undo the manual change; the message names the field."),
    RecordPruned(
            WARNING,
            "The installed definitions are older than the data plane and drop fields of the record.",
            "Upgrade the custom resource definitions; configuration changes wait until then."),
    AdoptionFailed(
            WARNING,
            "The data that spec.volumeId names was not found on the disks.",
            "Correct spec.volumeId or attach the disks."),

    // ---- pools
    CapacityAvailable(INFO, "There is room for new volumes.", "Nothing to do."),
    DomainsSatisfied(INFO, "There are enough failure domains for the default number of copies.", "Nothing to do."),
    NoMatchingNodes(WARNING, "No node carries the labels of spec.nodeSelector.", "Label nodes or change the selector."),
    TooFewDomains(
            WARNING,
            "There are fewer failure domains than copies wanted.",
            "Add nodes in other domains, or lower spec.defaults.replicas; never are two copies put in one domain."),
    PoolNearFull(WARNING, "Little space is left.", "Add disks or nodes, or delete volumes."),
    Overcommitted(
            WARNING,
            "More is promised than spec.overcommitPercent allows.",
            "Add disks, delete volumes or raise the limit."),
    RebuildCannotFit(WARNING, "The copies of the largest node would not fit on the others.", "Add disks or nodes."),
    DevicesNotSupported(WARNING, "spec.devices is not supported yet.", "Use spec.directories."),
    TooManyDirectories(
            WARNING,
            "More than one directory per node is not supported yet.",
            "Give one directory, or make one pool for each."),
    PoolInUse(
            WARNING,
            "The pool is to be deleted, but volumes use it: the message lists them.",
            "Delete the volumes first."),

    // ---- nodes and disks
    DisksHealthy(INFO, "All disks are online.", "Nothing to do."),
    NodeLost(CRITICAL, "The storage node does not answer.", "Look at the node and its data-plane pod."),
    NodeStarting(INFO, "The storage node is starting.", "Wait."),
    Unschedulable(
            WARNING,
            "The node takes no new copies: spec.unschedulable is true or the node is cordoned.",
            "Set spec.unschedulable to false, or uncordon the node."),
    NoDisks(WARNING, "No pool gives this node a disk.", "Label the node for a pool, or leave it as a consumer."),
    TooManyDisks(
            WARNING,
            "More than one disk per node is not supported yet: only the first is used.",
            "Let one pool select the node."),
    DiskFailed(
            CRITICAL,
            "A disk cannot be used: the message says why.",
            "Replace the disk; its copies are made again elsewhere."),
    DiskFull(CRITICAL, "A disk has no space for new data.", "Add disks or delete volumes."),
    DiskForeign(
            CRITICAL,
            "A disk belongs to another cluster.",
            "Use another directory, or erase this one if its data is not needed."),
    DiskRolledBack(
            CRITICAL,
            "A disk is older than its record: it was restored or copied.",
            "Erase the directory; its copies are made again."),
    CertificateExpiring(
            WARNING, "A certificate was not renewed in time.", "See whether the operator runs and approves requests."),

    // ---- the whole system
    ComponentNotReady(
            WARNING, "A component has fewer ready pods than wanted.", "See kubectl -n gabion-system get pods."),
    PodSecurityDenied(
            CRITICAL, "The namespace does not allow the pods that Gabion needs.", "Run the command in the message."),
    UpgradeBlocked(
            WARNING,
            "A rollout waits: the message names the gate.",
            "Solve what the message names; nothing is restarted until then."),
    RolloutInProgress(INFO, "Pods are being replaced one node at a time.", "Wait."),
    VersionSkew(WARNING, "Components run versions that are too far apart.", "Upgrade in the documented order."),
    UnknownSetting(WARNING, "spec.settings has a name that nothing reads.", "Correct the name.");

    private final Severity severity;
    private final String meaning;
    private final String remedy;

    HealthCode(Severity severity, String meaning, String remedy) {
        this.severity = severity;
        this.meaning = meaning;
        this.remedy = remedy;
    }

    public Severity severity() {
        return severity;
    }

    /** What it means, in one sentence. */
    public String meaning() {
        return meaning;
    }

    /** What a person does about it. */
    public String remedy() {
        return remedy;
    }
}
