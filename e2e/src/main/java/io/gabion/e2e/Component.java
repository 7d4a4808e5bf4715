package io.gabion.e2e;

/** A part of Gabion that runs on nodes. */
public enum Component {
    DATA_PLANE("data-plane", "data-plane", 7402),
    AGENT("agent", "agent", 7412),
    CSI_NODE("csi-node", "driver", 7422),
    CSI_CONTROLLER("csi-controller", "driver", 7423),
    OPERATOR("operator", "operator", 7432);

    private final String label;
    private final String container;
    private final int metricsPort;

    Component(String label, String container, int metricsPort) {
        this.label = label;
        this.container = container;
        this.metricsPort = metricsPort;
    }

    /** As its pods are labelled. */
    public String label() {
        return label;
    }

    /** The container with the Java process. */
    public String container() {
        return container;
    }

    /** Where a pod of it serves metrics. */
    public int metricsPort() {
        return metricsPort;
    }
}
