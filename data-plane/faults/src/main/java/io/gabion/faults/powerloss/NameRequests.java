package io.gabion.faults.powerloss;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Requests on names and attributes. Each method fills the reply or throws the error number. */
final class NameRequests {
    private static final int SET_MODE = 1;
    private static final int SET_UID = 1 << 1;
    private static final int SET_GID = 1 << 2;
    private static final int SET_SIZE = 1 << 3;
    private static final int SET_MODIFIED = 1 << 5;
    private static final int SET_MODIFIED_NOW = 1 << 8;
    private static final int BLOCK_BYTES = 4096;
    private static final int NAME_BYTES = 255;
    private static final int DIRECTORY_ENTRY_BYTES = 24;
    // What statfs reports as inodes; nothing counts them.
    private static final long INODES = 1_000_000;

    private final NodeTree tree;
    private final OpenHandles handles;
    private final SpaceAccount space;
    private final Path backing;

    NameRequests(NodeTree tree, OpenHandles handles, SpaceAccount space, Path backing) {
        this.tree = tree;
        this.handles = handles;
        this.space = space;
        this.backing = backing;
    }

    void lookup(FuseRequest request, FuseReply reply) throws FuseError {
        answerEntry(tree.lookup(request.nodeId(), request.string(0)), reply);
    }

    private static void answerEntry(Node node, FuseReply reply) {
        node.lookups.incrementAndGet();
        reply.entry(node);
    }

    void attributes(FuseRequest request, FuseReply reply) throws FuseError {
        reply.attributeAnswer(tree.node(request.nodeId()));
    }

    void setAttributes(FuseRequest request, FuseReply reply) throws FuseError {
        Node node = tree.node(request.nodeId());
        int valid = request.int32(0);
        if ((valid & SET_SIZE) != 0) {
            if (!(node instanceof FileNode file)) {
                throw new FuseError(Errno.EISDIR);
            }
            file.content.resize(request.int64(16));
            node.modifiedNanos = System.currentTimeMillis() * 1_000_000L;
        }
        if ((valid & SET_MODE) != 0) {
            tree.changePermissions(node, request.int32(68) & 07777);
        }
        if ((valid & SET_UID) != 0) {
            node.uid = request.int32(76);
        }
        if ((valid & SET_GID) != 0) {
            node.gid = request.int32(80);
        }
        if ((valid & SET_MODIFIED_NOW) != 0) {
            node.modifiedNanos = System.currentTimeMillis() * 1_000_000L;
        } else if ((valid & SET_MODIFIED) != 0) {
            node.modifiedNanos = request.int64(40) * 1_000_000_000L + request.int32(60);
        }
        reply.attributeAnswer(node);
    }

    void makeNode(FuseRequest request, FuseReply reply) throws FuseError {
        int mode = request.int32(0);
        if ((mode & 0170000) != FileNode.TYPE_BITS) {
            throw new FuseError(Errno.EPERM);
        }
        answerEntry(tree.createFile(request.nodeId(), request.string(16), mode & 07777), reply);
    }

    void makeDirectory(FuseRequest request, FuseReply reply) throws FuseError {
        answerEntry(tree.makeDirectory(request.nodeId(), request.string(8), request.int32(0) & 07777), reply);
    }

    void unlink(FuseRequest request) throws FuseError, IOException {
        tree.unlink(request.nodeId(), request.string(0));
    }

    void removeDirectory(FuseRequest request) throws FuseError {
        tree.removeDirectory(request.nodeId(), request.string(0));
    }

    void rename(FuseRequest request) throws FuseError {
        rename(request, 8, 0);
    }

    void renameWithFlags(FuseRequest request) throws FuseError {
        rename(request, 16, request.int32(8));
    }

    private void rename(FuseRequest request, int namesAt, int flags) throws FuseError {
        tree.rename(request.nodeId(), request.string(namesAt), request.int64(0), request.stringAfter(namesAt), flags);
    }

    void link(FuseRequest request, FuseReply reply) throws FuseError {
        answerEntry(tree.link(request.int64(0), request.nodeId(), request.string(8)), reply);
    }

    void openDirectory(FuseRequest request, FuseReply reply) throws FuseError {
        if (!(tree.node(request.nodeId()) instanceof DirectoryNode)) {
            throw new FuseError(Errno.ENOTDIR);
        }
        reply.int64(handles.openDirectory()).int64(0);
    }

    void readDirectory(FuseRequest request, FuseReply reply) throws FuseError {
        long handle = request.int64(0);
        int position = (int) request.int64(8);
        int size = request.int32(16);
        if (position == 0) {
            handles.list(handle, tree.list(request.nodeId()));
        }
        List<Map.Entry<String, Node>> entries = handles.listing(handle);
        for (int i = position; i < entries.size(); i++) {
            byte[] name = entries.get(i).getKey().getBytes(StandardCharsets.UTF_8);
            int padding = -name.length & 7;
            if (reply.bodyLength() + DIRECTORY_ENTRY_BYTES + name.length + padding > size) {
                return;
            }
            Node node = entries.get(i).getValue();
            reply.int64(node.id).int64(i + 1L).int32(name.length).int32(node.typeBits() >> 12);
            reply.raw(name).zeros(padding);
        }
    }

    void closeDirectory(FuseRequest request) {
        handles.closeDirectory(request.int64(0));
    }

    void statistics(FuseReply reply) throws IOException {
        FileStore store = Files.getFileStore(backing);
        long total = store.getTotalSpace();
        long free = store.getUsableSpace();
        if (space.limitBytes() < total) {
            total = space.limitBytes();
            free = Math.clamp(total - space.usedBytes(), 0, free);
        }
        reply.int64(total / BLOCK_BYTES).int64(free / BLOCK_BYTES).int64(free / BLOCK_BYTES);
        reply.int64(INODES).int64(INODES).int32(BLOCK_BYTES).int32(NAME_BYTES).int32(BLOCK_BYTES);
        reply.zeros(7 * Integer.BYTES);
    }

    void forget(FuseRequest request) {
        drop(request.nodeId(), request.int64(0));
    }

    void forgetMany(FuseRequest request) {
        int count = request.int32(0);
        for (int i = 0; i < count; i++) {
            drop(request.int64(8 + 16 * i), request.int64(16 + 16 * i));
        }
    }

    private void drop(long nodeId, long count) {
        Node node = tree.find(nodeId);
        if (node != null) {
            tree.forget(node, count);
        }
    }
}
