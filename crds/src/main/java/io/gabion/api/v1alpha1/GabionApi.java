package io.gabion.api.v1alpha1;

/** Names of the API that every component uses. */
public final class GabionApi {
    public static final String GROUP = "gabion.io";
    public static final String VERSION = "v1alpha1";
    /** {@code kubectl get gabion} lists every kind. */
    public static final String CATEGORY = "gabion";
    /** Namespace of every component. */
    public static final String NAMESPACE = "gabion-system";
    /** Name of the CSI driver. */
    public static final String DRIVER_NAME = "csi.gabion.io";
    /** Label of a Volume for each node of its placement and its tombstones; set before the record names the node. */
    public static final String REPLICA_LABEL_PREFIX = "replica.gabion.io/";
    /** Annotation of a Volume by which the driver tells the node where its first pod starts: a wish for the first copy. */
    public static final String PREFERRED_NODE = GROUP + "/preferred-node";
    /** Label of nodes and topology key: the failure domain. */
    public static final String TOPOLOGY_DOMAIN = "topology.gabion.io/domain";
    /** Signer of the certificates of every component. */
    public static final String SIGNER_NAME = "gabion.io/internal";
    /** ConfigMap with the certificate authority that every component trusts. */
    public static final String CA_CONFIG_MAP = "gabion-ca";
    /** Key in {@link #CA_CONFIG_MAP}. */
    public static final String CA_CONFIG_MAP_KEY = "ca.crt";
    /** Longest name of a label after its prefix. */
    static final int MAX_LABEL_NAME = 63;

    private GabionApi() {}

    /**
     * The label that makes a Volume visible to a node. A node name may be longer than the name part of a label: such a name is
     * cut and made unique by its hash, the same way on both sides.
     */
    public static String replicaLabel(String node) {
        if (node.length() <= MAX_LABEL_NAME) {
            return REPLICA_LABEL_PREFIX + node;
        }
        String hash = Integer.toHexString(node.hashCode());
        return REPLICA_LABEL_PREFIX + node.substring(0, MAX_LABEL_NAME - hash.length() - 1) + "-" + hash;
    }
}
