package io.gabion.faults.powerloss;

import java.util.TreeMap;

/** A directory: its entries as of now; the durable ones are those of the backing directory. */
final class DirectoryNode extends Node {
    static final int TYPE_BITS = 0040000;

    final TreeMap<String, Node> children = new TreeMap<>();

    DirectoryNode(long id, int permissions) {
        super(id, permissions);
    }

    @Override
    int typeBits() {
        return TYPE_BITS;
    }

    @Override
    long sizeBytes() {
        return 4096;
    }

    @Override
    int linkCount() {
        return 2;
    }
}
