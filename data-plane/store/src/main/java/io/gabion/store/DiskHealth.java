package io.gabion.store;

import java.util.List;

/**
 * How a disk is.
 *
 * @param reasons in words, empty when the disk is online
 * @param badPlaces blocks of the disk that could not be read again as they were written, and are not used any more
 * @param checksumFailures how often a block failed its checksum since the disk was opened
 * @param readErrors how often the disk could not read a block since then
 * @param repairedBlocks blocks for which a good copy was put in place since then
 * @param oldestOperationNanos age of the oldest operation on its way; 0 when there is none
 */
public record DiskHealth(
        State state,
        List<String> reasons,
        long badPlaces,
        long checksumFailures,
        long readErrors,
        long repairedBlocks,
        long oldestOperationNanos) {
    public DiskHealth {
        reasons = List.copyOf(reasons);
    }

    /** In short. */
    public enum State {
        ONLINE,
        /** Serves, but should be looked at. */
        SUSPECT,
        /** Serves no more until it is opened anew, if then. */
        FAULTED
    }
}
