package io.gabion.faults.powerloss;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;

/**
 * The ordered journal of the name space, as ext4 and XFS keep one: changes become durable in the order in which they
 * were made and only by a commit, which applies them to the backing directory. A power cut keeps a prefix.
 *
 * <p>Not thread safe: the lock of the {@link NodeTree} guards it; only {@link #committed} may be read without.
 */
final class DirectoryJournal {
    private final Path backing;
    private final ArrayDeque<DirectoryChange> pending = new ArrayDeque<>();
    private long last;
    private volatile long committed;

    DirectoryJournal(Path backing) {
        this.backing = backing;
    }

    /** Returns the number of the record: a commit through it makes the change durable. */
    long append(DirectoryChange change) {
        pending.add(change);
        return ++last;
    }

    /** The number of the last durable record. */
    long committed() {
        return committed;
    }

    int pendingCount() {
        return pending.size();
    }

    long last() {
        return last;
    }

    void commitThrough(long record) throws IOException {
        long done = committed;
        while (done < record && !pending.isEmpty()) {
            apply(pending.remove());
            done++;
            committed = done;
        }
    }

    /** The durable path of a node. */
    Path durablePath(Node node) {
        if (node.durableNames.isEmpty()) {
            if (node.id != NodeTree.ROOT_ID) {
                throw new IllegalStateException(node.path + " has no durable name");
            }
            return backing;
        }
        return path(node.durableNames.iterator().next());
    }

    private Path path(Node.Name name) {
        return durablePath(name.parent()).resolve(name.text());
    }

    private void apply(DirectoryChange change) throws IOException {
        switch (change) {
            case DirectoryChange.CreatedFile(var file, var name) -> {
                Path path = path(name);
                Files.createFile(path);
                setPermissions(path, file.permissions);
                file.durableNames.add(name);
                if (file.handles > 0) {
                    file.content.openBase(path);
                }
            }
            case DirectoryChange.MadeDirectory(var directory, var name) -> {
                Path path = path(name);
                Files.createDirectory(path);
                setPermissions(path, directory.permissions);
                directory.durableNames.add(name);
            }
            case DirectoryChange.Linked(var file, var name) -> {
                Files.createLink(path(name), durablePath(file));
                file.durableNames.add(name);
            }
            case DirectoryChange.Unlinked(var file, var name) -> {
                Files.delete(path(name));
                dropDurableName(file, name);
            }
            case DirectoryChange.RemovedDirectory(var directory, var name) -> {
                Files.delete(path(name));
                directory.durableNames.remove(name);
            }
            case DirectoryChange.Renamed(var node, var from, var to, var replaced) -> {
                Files.move(path(from), path(to), StandardCopyOption.ATOMIC_MOVE);
                if (replaced != null) {
                    dropDurableName(replaced, to);
                }
                node.durableNames.remove(from);
                node.durableNames.add(to);
            }
            case DirectoryChange.ChangedPermissions(var node, var permissions) -> {
                if (!node.durableNames.isEmpty()) {
                    setPermissions(durablePath(node), permissions);
                }
            }
        }
    }

    private static void dropDurableName(Node node, Node.Name name) throws IOException {
        node.durableNames.remove(name);
        if (node instanceof FileNode file && file.durableNames.isEmpty() && file.names.isEmpty() && file.handles == 0) {
            file.content.discard();
        }
    }

    private static void setPermissions(Path path, int bits) throws IOException {
        // The owner may always read and write, or the layer itself could not.
        Files.setAttribute(path, "unix:mode", bits | 0600);
    }
}
