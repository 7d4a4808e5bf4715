package io.gabion.store.extent;

/** Consecutive blocks of the disk. */
public record Run(long start, int blocks) {
    public long end() {
        return start + blocks;
    }
}
