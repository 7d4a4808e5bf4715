package io.gabion.faults.powerloss;

/** A regular file. */
final class FileNode extends Node {
    static final int TYPE_BITS = 0100000;

    final FileContent content;
    /** Open descriptions; changed under the tree's lock. */
    int handles;

    FileNode(long id, int permissions, FileContent content) {
        super(id, permissions);
        this.content = content;
    }

    @Override
    int typeBits() {
        return TYPE_BITS;
    }

    @Override
    long sizeBytes() {
        return content.sizeBytes();
    }

    @Override
    int linkCount() {
        return names.size();
    }
}
