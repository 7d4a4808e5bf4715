package io.gabion.node.metrics;

/**
 * One replica at the time of a scrape.
 *
 * @param inSync copies in the in-sync set of the newest record known here
 * @param isStalled writes wait
 */
public record VolumeSample(
        String volume,
        String name,
        String replica,
        String role,
        long epoch,
        int inSync,
        int desired,
        long capacityBytes,
        long allocatedBytes,
        boolean isStalled,
        int writesInFlight,
        double degradedSeconds,
        long rebuildComparedBytes,
        long rebuildCopiedBytes,
        long rebuildTotalBytes) {
    boolean isRebuilding() {
        return role.equals("catching-up");
    }
}
