package io.gabion.faults.powerloss;

/**
 * What a power cut did to everything that was not synced.
 *
 * @param seed the seed that repeats it on the same state
 * @param files files with unsynced changes that still had a durable name
 * @param lostFiles files with unsynced data whose creation did not survive either
 * @param changesKept writes, truncations and zeroed ranges that survived whole
 * @param changesDropped those of which nothing survived
 * @param writesTorn writes of which some sectors survived and some did not
 * @param bytesKept bytes of unsynced writes found afterwards
 * @param bytesDropped bytes of unsynced writes not found afterwards
 * @param directoryChangesKept creations, renames, removals that survived: a prefix of the journal
 * @param directoryChangesDropped the rest of the journal
 */
public record CutReport(
        long seed,
        int files,
        int lostFiles,
        int changesKept,
        int changesDropped,
        int writesTorn,
        long bytesKept,
        long bytesDropped,
        int directoryChangesKept,
        int directoryChangesDropped) {

    /** True when the cut took anything away. */
    public boolean lostAnything() {
        return changesDropped > 0 || writesTorn > 0 || lostFiles > 0 || directoryChangesDropped > 0;
    }
}
