package io.gabion.faults.powerloss;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The name space between two power cuts: the current tree in memory, the durable one in the backing directory, the
 * journal between them. Thread safe: changes are serialised by the monitor of this object, data is not.
 */
final class NodeTree {
    static final long ROOT_ID = 1;
    private static final int RENAME_NOREPLACE = 1;
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final Map<Long, Node> nodes = new ConcurrentHashMap<>();
    private final DirectoryNode root;
    private final DirectoryJournal journal;
    private final AtomicLong ids;
    private final SpaceAccount space;
    private final AtomicLong unsyncedBytes = new AtomicLong();

    /** Reads the backing directory; {@code ids} goes on over power cuts, so that an old node id is never reused. */
    NodeTree(Path backing, AtomicLong ids, SpaceAccount space) throws IOException {
        this.journal = new DirectoryJournal(backing);
        this.ids = ids;
        this.space = space;
        this.root = new DirectoryNode(ROOT_ID, 0755);
        root.modifiedNanos = now();
        nodes.put(ROOT_ID, root);
        scan(root, backing);
    }

    private void scan(DirectoryNode directory, Path path) throws IOException {
        Set<Path> entries = new TreeSet<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(path)) {
            stream.forEach(entries::add);
        }
        for (Path entry : entries) {
            int permissions = permissions(entry);
            Node node;
            if (Files.isDirectory(entry)) {
                node = new DirectoryNode(ids.incrementAndGet(), permissions);
            } else {
                FileContent content = new FileContent(Files.size(entry), space, unsyncedBytes);
                node = new FileNode(ids.incrementAndGet(), permissions, content);
            }
            node.modifiedNanos = Files.getLastModifiedTime(entry).toMillis() * NANOS_PER_MILLI;
            Node.Name name = new Node.Name(directory, String.valueOf(entry.getFileName()));
            node.durableNames.add(name);
            attach(node, name);
            nodes.put(node.id, node);
            if (node instanceof DirectoryNode child) {
                scan(child, entry);
            }
        }
    }

    private static int permissions(Path path) throws IOException {
        return (Integer) Files.getAttribute(path, "unix:mode") & 07777;
    }

    private static long now() {
        return System.currentTimeMillis() * NANOS_PER_MILLI;
    }

    long unsyncedBytes() {
        return unsyncedBytes.get();
    }

    DirectoryJournal journal() {
        return journal;
    }

    Collection<Node> nodes() {
        return nodes.values();
    }

    Node node(long id) throws FuseError {
        Node node = nodes.get(id);
        if (node == null) {
            throw new FuseError(Errno.ESTALE);
        }
        return node;
    }

    @Nullable
    Node find(long id) {
        return nodes.get(id);
    }

    private DirectoryNode directory(long id) throws FuseError {
        if (node(id) instanceof DirectoryNode directory) {
            return directory;
        }
        throw new FuseError(Errno.ENOTDIR);
    }

    private static Node child(DirectoryNode parent, String name) throws FuseError {
        Node child = parent.children.get(name);
        if (child == null) {
            throw new FuseError(Errno.ENOENT);
        }
        return child;
    }

    private static FileNode fileChild(DirectoryNode parent, String name) throws FuseError {
        if (child(parent, name) instanceof FileNode file) {
            return file;
        }
        throw new FuseError(Errno.EISDIR);
    }

    private static void refuseExisting(DirectoryNode parent, String name) throws FuseError {
        if (parent.children.containsKey(name)) {
            throw new FuseError(Errno.EEXIST);
        }
    }

    private static void attach(Node node, Node.Name name) {
        name.parent().children.put(name.text(), node);
        node.names.add(name);
        node.path = name.parent().path.isEmpty() ? name.text() : name.parent().path + "/" + name.text();
    }

    private static void detach(Node node, Node.Name name) {
        name.parent().children.remove(name.text());
        node.names.remove(name);
    }

    private void record(DirectoryChange change, Node... touched) {
        long number = journal.append(change);
        long now = now();
        for (Node node : touched) {
            node.lastRecord = number;
            if (node instanceof DirectoryNode) {
                node.modifiedNanos = now;
            }
        }
    }

    synchronized Node lookup(long parentId, String name) throws FuseError {
        return child(directory(parentId), name);
    }

    synchronized FileNode createFile(long parentId, String text, int permissions) throws FuseError {
        DirectoryNode parent = directory(parentId);
        refuseExisting(parent, text);
        FileContent content = new FileContent(0, space, unsyncedBytes);
        FileNode file = new FileNode(ids.incrementAndGet(), permissions, content);
        file.modifiedNanos = now();
        Node.Name name = new Node.Name(parent, text);
        attach(file, name);
        nodes.put(file.id, file);
        record(new DirectoryChange.CreatedFile(file, name), file, parent);
        file.lastDataRecord = file.lastRecord;
        return file;
    }

    synchronized DirectoryNode makeDirectory(long parentId, String text, int permissions) throws FuseError {
        DirectoryNode parent = directory(parentId);
        refuseExisting(parent, text);
        DirectoryNode directory = new DirectoryNode(ids.incrementAndGet(), permissions);
        Node.Name name = new Node.Name(parent, text);
        attach(directory, name);
        nodes.put(directory.id, directory);
        record(new DirectoryChange.MadeDirectory(directory, name), directory, parent);
        return directory;
    }

    synchronized void unlink(long parentId, String text) throws FuseError, IOException {
        DirectoryNode parent = directory(parentId);
        FileNode file = fileChild(parent, text);
        Node.Name name = new Node.Name(parent, text);
        detach(file, name);
        record(new DirectoryChange.Unlinked(file, name), file, parent);
    }

    synchronized void removeDirectory(long parentId, String text) throws FuseError {
        DirectoryNode parent = directory(parentId);
        if (!(child(parent, text) instanceof DirectoryNode directory)) {
            throw new FuseError(Errno.ENOTDIR);
        }
        if (!directory.children.isEmpty()) {
            throw new FuseError(Errno.ENOTEMPTY);
        }
        Node.Name name = new Node.Name(parent, text);
        detach(directory, name);
        record(new DirectoryChange.RemovedDirectory(directory, name), directory, parent);
    }

    synchronized FileNode link(long fileId, long parentId, String text) throws FuseError {
        DirectoryNode parent = directory(parentId);
        refuseExisting(parent, text);
        if (!(node(fileId) instanceof FileNode file) || file.names.isEmpty()) {
            throw new FuseError(Errno.EPERM);
        }
        Node.Name name = new Node.Name(parent, text);
        attach(file, name);
        record(new DirectoryChange.Linked(file, name), file, parent);
        return file;
    }

    synchronized void rename(long fromId, String fromText, long toId, String toText, int flags) throws FuseError {
        if ((flags & ~RENAME_NOREPLACE) != 0) {
            throw new FuseError(Errno.EINVAL);
        }
        DirectoryNode fromParent = directory(fromId);
        DirectoryNode toParent = directory(toId);
        Node node = child(fromParent, fromText);
        Node replaced = toParent.children.get(toText);
        if (replaced == node) {
            return;
        }
        Node.Name from = new Node.Name(fromParent, fromText);
        Node.Name to = new Node.Name(toParent, toText);
        if (replaced != null) {
            refuseReplacing(node, replaced, flags);
            detach(replaced, to);
        }
        detach(node, from);
        attach(node, to);
        if (node instanceof DirectoryNode moved) {
            renewPaths(moved);
        }
        record(new DirectoryChange.Renamed(node, from, to, replaced), node, fromParent, toParent);
        if (replaced != null) {
            replaced.lastRecord = journal.last();
        }
    }

    private static void refuseReplacing(Node node, Node replaced, int flags) throws FuseError {
        if (flags != 0) {
            throw new FuseError(Errno.EEXIST);
        }
        switch (replaced) {
            case DirectoryNode directory -> {
                if (!(node instanceof DirectoryNode)) {
                    throw new FuseError(Errno.EISDIR);
                }
                if (!directory.children.isEmpty()) {
                    throw new FuseError(Errno.ENOTEMPTY);
                }
            }
            case FileNode file -> {
                if (node instanceof DirectoryNode) {
                    throw new FuseError(Errno.ENOTDIR);
                }
            }
        }
    }

    private static void renewPaths(DirectoryNode directory) {
        directory.children.forEach((text, child) -> {
            child.path = directory.path + "/" + text;
            if (child instanceof DirectoryNode below) {
                renewPaths(below);
            }
        });
    }

    synchronized void changePermissions(Node node, int permissions) {
        node.permissions = permissions;
        record(new DirectoryChange.ChangedPermissions(node, permissions), node);
    }

    /** The entries of a directory, with itself and its parent first, as "name to node". */
    synchronized List<Map.Entry<String, Node>> list(long id) throws FuseError {
        DirectoryNode directory = directory(id);
        List<Map.Entry<String, Node>> entries = new ArrayList<>();
        entries.add(Map.entry(".", directory));
        DirectoryNode parent = directory.names.isEmpty()
                ? directory
                : directory.names.iterator().next().parent();
        entries.add(Map.entry("..", parent));
        entries.addAll(directory.children.entrySet());
        return entries;
    }

    /** Counts a new open description of the file. */
    synchronized void opened(FileNode file) throws IOException {
        if (file.handles++ == 0 && !file.durableNames.isEmpty()) {
            file.content.openBase(journal.durablePath(file));
        }
    }

    synchronized void released(FileNode file) throws IOException {
        if (--file.handles == 0) {
            if (file.names.isEmpty() && file.durableNames.isEmpty()) {
                file.content.discard();
                forget(file, 0);
            } else {
                file.content.closeBase();
            }
        }
    }

    /** The kernel dropped so many references. */
    synchronized void forget(Node node, long count) {
        long left = node.lookups.addAndGet(-count);
        boolean open = node instanceof FileNode file && file.handles > 0;
        if (left <= 0 && !open && node.names.isEmpty() && node.durableNames.isEmpty() && node != root) {
            nodes.remove(node.id);
        }
    }

    /** Makes a file durable: its entry (all its names unless only its data matters), then its data. */
    void sync(FileNode file, boolean dataOnly) throws IOException {
        commit(dataOnly ? file.lastDataRecord : file.lastRecord);
        file.content.sync();
    }

    /** Makes everything durable that was done in a directory. */
    void sync(DirectoryNode directory) throws IOException {
        commit(directory.lastRecord);
    }

    private void commit(long record) throws IOException {
        if (record > journal.committed()) {
            synchronized (this) {
                journal.commitThrough(record);
            }
        }
    }

    /** Makes everything durable, as sync(2) or a clean unmount does. */
    synchronized void syncAll() throws IOException {
        journal.commitThrough(journal.last());
        for (Node node : nodes.values()) {
            if (node instanceof FileNode file && !file.durableNames.isEmpty()) {
                file.content.openBase(journal.durablePath(file));
                file.content.sync();
                if (file.handles == 0) {
                    file.content.closeBase();
                }
            }
        }
    }

    /** Lets go of all backing files; the tree is of no use afterwards. */
    synchronized void discard() throws IOException {
        for (Node node : nodes.values()) {
            if (node instanceof FileNode file) {
                file.content.discard();
            }
        }
    }
}
