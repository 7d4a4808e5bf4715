package io.gabion.core.volume;

import io.gabion.core.message.RequestId;
import io.gabion.core.port.RecoveredReplica;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Requests of the highest session generation that are in the log: what may not be applied a second time. */
final class RequestTable {
    private final ArrayDeque<RequestId> order = new ArrayDeque<>();
    private final Set<RequestId> known = new HashSet<>();
    private long generation;

    void add(RequestId request) {
        if (request.generation() < generation || request.equals(RequestId.NONE)) {
            return;
        }
        if (request.generation() > generation) {
            order.clear();
            known.clear();
            generation = request.generation();
        }
        if (!known.add(request)) {
            return;
        }
        order.addLast(request);
        if (order.size() > RecoveredReplica.MAX_REQUESTS) {
            known.remove(order.removeFirst());
        }
    }

    void addAll(Collection<RequestId> requests) {
        requests.forEach(this::add);
    }

    void replace(Collection<RequestId> requests) {
        order.clear();
        known.clear();
        generation = 0;
        addAll(requests);
    }

    /** These were undone here: they may come again. True when any of them was known. */
    boolean removeAll(Collection<RequestId> requests) {
        boolean any = false;
        for (RequestId request : requests) {
            if (known.remove(request)) {
                order.remove(request);
                any = true;
            }
        }
        return any;
    }

    boolean contains(RequestId request) {
        return known.contains(request);
    }

    /** The agent waits for nothing lower any more. */
    void forgetBelow(long requestGeneration, long number) {
        if (requestGeneration != generation) {
            return;
        }
        while (!order.isEmpty() && order.getFirst().number() < number) {
            known.remove(order.removeFirst());
        }
    }

    List<RequestId> list() {
        return List.copyOf(order);
    }
}
