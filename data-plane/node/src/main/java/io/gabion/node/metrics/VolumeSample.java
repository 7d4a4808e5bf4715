package io.gabion.node.metrics;

/**
 * One replica at the time of a scrape.
 *
 * @param snapshotBytes part of {@code allocatedBytes} that only snapshots and clones still need
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
        int snapshots,
        long snapshotBytes,
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
