package io.gabion.node.metrics;

import java.util.List;
import java.util.Map;

/**
 * The process at the time of a scrape.
 *
 * @param peers heartbeats arrive from these nodes, or do not
 */
public record NodeSample(
        List<VolumeSample> volumes,
        Map<String, Boolean> peers,
        DiskSample disk,
        ScrubSample scrub,
        boolean configurationStoreUp,
        int configurationSwapsWaiting,
        int clientConnections,
        WireSample wire) {
    public NodeSample {
        volumes = List.copyOf(volumes);
        peers = Map.copyOf(peers);
    }

    public record DiskSample(
            String disk,
            long capacityBytes,
            long usedBytes,
            long reservedBytes,
            long freeBytes,
            double oldestAppendSeconds,
            long batches,
            long records,
            long dataBytes,
            long writtenBytes,
            long checksumFailures,
            String state,
            long badPlaces,
            long readErrors,
            long repairedBlocks) {}

    /**
     * Since the disk was opened.
     *
     * @param bytesPerSecond that the scrub may read, 0: none runs
     */
    public record ScrubSample(long bytesPerSecond, long passes, long checkedBytes, long damagedBlocks) {}

    /** @param endings connections and attempts that ended, by reason */
    public record WireSample(long bytesSent, long bytesReceived, long flushes, Map<String, Long> endings) {
        public WireSample {
            endings = Map.copyOf(endings);
        }
    }
}
