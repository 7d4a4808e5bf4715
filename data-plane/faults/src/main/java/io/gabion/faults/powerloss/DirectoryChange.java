package io.gabion.faults.powerloss;

import org.jspecify.annotations.Nullable;

/** One change of the name space that the journal has not committed yet. */
sealed interface DirectoryChange {
    record CreatedFile(FileNode file, Node.Name name) implements DirectoryChange {}

    record MadeDirectory(DirectoryNode directory, Node.Name name) implements DirectoryChange {}

    record Linked(FileNode file, Node.Name name) implements DirectoryChange {}

    record Unlinked(FileNode file, Node.Name name) implements DirectoryChange {}

    record RemovedDirectory(DirectoryNode directory, Node.Name name) implements DirectoryChange {}

    /** {@code replaced} is what carried the new name before, or null. */
    record Renamed(
            Node node,
            Node.Name from,
            Node.Name to,
            @Nullable Node replaced) implements DirectoryChange {}

    record ChangedPermissions(Node node, int permissions) implements DirectoryChange {}
}
