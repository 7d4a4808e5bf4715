package io.gabion.faults.powerloss;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Open files and directories between two power cuts. Thread safe. */
final class OpenHandles {
    private final AtomicLong ids;
    private final Map<Long, FileNode> files = new ConcurrentHashMap<>();
    private final Map<Long, List<Map.Entry<String, Node>>> listings = new ConcurrentHashMap<>();

    OpenHandles(AtomicLong ids) {
        this.ids = ids;
    }

    long open(FileNode file) {
        long id = ids.incrementAndGet();
        files.put(id, file);
        return id;
    }

    FileNode file(long id) throws FuseError {
        FileNode file = files.get(id);
        if (file == null) {
            // Opened before the power was cut.
            throw new FuseError(Errno.EIO);
        }
        return file;
    }

    FileNode close(long id) throws FuseError {
        FileNode file = file(id);
        files.remove(id);
        return file;
    }

    long openDirectory() {
        return ids.incrementAndGet();
    }

    /** The listing that a reader of the directory goes through; taken anew when it starts over. */
    void list(long id, List<Map.Entry<String, Node>> entries) {
        listings.put(id, entries);
    }

    List<Map.Entry<String, Node>> listing(long id) throws FuseError {
        List<Map.Entry<String, Node>> entries = listings.get(id);
        if (entries == null) {
            throw new FuseError(Errno.EIO);
        }
        return entries;
    }

    void closeDirectory(long id) {
        listings.remove(id);
    }
}
