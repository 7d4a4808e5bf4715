package io.gabion.faults.powerloss;

/** What a power cut does with one unsynced write. */
public enum Survival {
    /** The seed decides: kept, dropped or torn. */
    RANDOM,
    /** Nothing of it is found afterwards. */
    DROPPED,
    /** All of it is found afterwards. */
    KEPT
}
