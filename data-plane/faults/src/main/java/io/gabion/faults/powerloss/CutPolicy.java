package io.gabion.faults.powerloss;

/**
 * Steers a power cut, for example "the log survives, the data does not". It speaks about unsynced writes only: nothing
 * can make a cut drop what was synced.
 */
@FunctionalInterface
public interface CutPolicy {
    /** Everything by chance. */
    CutPolicy RANDOM = (path, offset, length) -> Survival.RANDOM;

    /**
     * Decides about one unsynced write.
     *
     * @param path of the file below the mount point, without a leading slash
     * @param offset of the first byte written
     * @param length in bytes
     */
    Survival survival(String path, long offset, long length);
}
