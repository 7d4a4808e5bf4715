package io.gabion.e2e;

/** A part of Gabion that runs on nodes. */
public enum Component {
    DATA_PLANE("data-plane", "data-plane"),
    AGENT("agent", "agent"),
    CSI_NODE("csi-node", "driver"),
    CSI_CONTROLLER("csi-controller", "driver"),
    OPERATOR("operator", "operator");

    private final String label;
    private final String container;

    Component(String label, String container) {
        this.label = label;
        this.container = container;
    }

    /** As its pods are labelled. */
    public String label() {
        return label;
    }

    /** The container with the Java process. */
    public String container() {
        return container;
    }
}
