package io.gabion.csi.node;

/** Segments of topology are failure domains, never single nodes: any node reaches any volume. */
public final class TopologyKey {
    public static final String DOMAIN = "topology.gabion.io/domain";
    /** Of nodes whose label says nothing. */
    public static final String DEFAULT_DOMAIN = "default";

    private TopologyKey() {}
}
