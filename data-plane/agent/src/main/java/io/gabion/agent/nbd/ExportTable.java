package io.gabion.agent.nbd;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/** The exports that clients can open now, by name. There is no default export: a client that names none may hit the wrong volume. */
public final class ExportTable {
    private final ConcurrentMap<String, BlockExport> exports = new ConcurrentHashMap<>();

    /** False, and nothing changes, where the name is taken. */
    public boolean add(BlockExport export) {
        return exports.putIfAbsent(export.name(), export) == null;
    }

    /** Its connections go on until they are closed; see {@link NbdServer#closeConnections}. */
    public void remove(BlockExport export) {
        exports.remove(export.name(), export);
    }

    public @Nullable BlockExport find(String name) {
        return exports.get(name);
    }

    public Collection<String> names() {
        return List.copyOf(exports.keySet());
    }
}
