package io.gabion.operator.placement;

/**
 * What a node holds already.
 *
 * @param replicas copies of any volume
 * @param primaries volumes that it leads
 * @param provisionedBytes sizes of the volumes of the wished pool that have a copy here, added up
 */
public record NodeLoad(int replicas, int primaries, long provisionedBytes) {
    public static final NodeLoad NONE = new NodeLoad(0, 0, 0);
}
