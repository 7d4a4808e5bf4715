package io.gabion.faults.powerloss;

/** The kinds of operations that faults distinguish. */
public enum FileOperation {
    /** Reading file data. */
    READ,
    /** Writing file data. */
    WRITE,
    /** fsync and fdatasync of a file or directory, and the sync part of a write made with O_DSYNC or RWF_DSYNC. */
    SYNC,
    /** Opening and creating files. */
    OPEN,
    /** Truncating and fallocate. */
    RESIZE,
    /** Creating, linking, renaming and removing names. */
    NAMES,
    /** Everything else: lookup, attributes, listing. */
    OTHER
}
