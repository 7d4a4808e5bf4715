package io.gabion.simulator.disk;

import io.gabion.core.message.RequestId;
import io.gabion.core.message.TailEntry;
import io.gabion.core.port.RecoveredReplica;
import io.gabion.model.ByteRange;
import io.gabion.model.Lsn;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Which operations touched which ranges, oldest forgotten first; what is not known to be committed is never forgotten. */
final class ChangeLog {
    private final int maxEntries;
    private final ArrayDeque<TailEntry> entries = new ArrayDeque<>();
    private final LinkedHashMap<RequestId, Lsn> requests = new LinkedHashMap<>();
    private Lsn forgotten = Lsn.ZERO;

    ChangeLog(int maxEntries) {
        this.maxEntries = maxEntries;
    }

    void add(Lsn lsn, ByteRange range, RequestId request, Lsn committed) {
        entries.add(new TailEntry(lsn, range, request));
        if (!request.equals(RequestId.NONE)) {
            requests.remove(request);
            requests.put(request, lsn);
            if (requests.size() > RecoveredReplica.MAX_REQUESTS) {
                Iterator<RequestId> oldest = requests.keySet().iterator();
                oldest.next();
                oldest.remove();
            }
        }
        while (entries.size() > maxEntries && !entries.getFirst().lsn().isAfter(committed)) {
            forgotten = Lsn.max(forgotten, entries.removeFirst().lsn());
        }
    }

    Optional<List<ByteRange>> after(Lsn after) {
        if (forgotten.isAfter(after)) {
            return Optional.empty();
        }
        List<ByteRange> ranges = new ArrayList<>();
        for (TailEntry entry : entries) {
            if (entry.lsn().isAfter(after) && !entry.range().isEmpty()) {
                ranges.add(entry.range());
            }
        }
        return Optional.of(ranges);
    }

    List<TailEntry> tail(Lsn committed) {
        return entries.stream().filter(entry -> entry.lsn().isAfter(committed)).toList();
    }

    Optional<Lsn> lsnOf(RequestId request) {
        return Optional.ofNullable(requests.get(request));
    }

    /** Requests of the generation whose operations stand after {@code position}, oldest first. */
    List<RequestId> requestsAfter(Lsn position, long generation) {
        return requests.entrySet().stream()
                .filter(known -> known.getKey().generation() == generation
                        && known.getValue().isAfter(position))
                .map(Map.Entry::getKey)
                .toList();
    }
}
