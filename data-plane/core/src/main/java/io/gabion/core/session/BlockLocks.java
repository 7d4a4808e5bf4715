package io.gabion.core.session;

import io.gabion.model.ByteRange;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/**
 * Serialises read-modify-write per block: a patch of part of a block and any other change of that block never run at the same
 * time, and start in the order in which they came. Changes of whole blocks do not wait for each other.
 */
final class BlockLocks {
    private final List<Part> patching = new ArrayList<>();
    private final List<Part> changing = new ArrayList<>();
    private final Deque<Part> waiting = new ArrayDeque<>();

    /** True when the part may start now; otherwise it is kept and returned by a later {@link #finished}. */
    boolean start(Part part) {
        if (!changes(part)) {
            return true;
        }
        if (conflicts(part, waiting) || isBlocked(part)) {
            waiting.add(part);
            return false;
        }
        hold(part);
        return true;
    }

    /** The part is done; returns those that may start now. */
    List<Part> finished(Part part) {
        if (!(part.isPatching() ? patching.remove(part) : changing.remove(part)) || waiting.isEmpty()) {
            return List.of();
        }
        List<Part> startable = new ArrayList<>();
        List<Part> passedOver = new ArrayList<>();
        for (Iterator<Part> each = waiting.iterator(); each.hasNext(); ) {
            Part next = each.next();
            if (conflicts(next, passedOver) || isBlocked(next)) {
                passedOver.add(next);
            } else {
                each.remove();
                hold(next);
                startable.add(next);
            }
        }
        return startable;
    }

    /** Forgets the waiting parts and returns them. */
    List<Part> drain() {
        List<Part> all = List.copyOf(waiting);
        waiting.clear();
        patching.clear();
        changing.clear();
        return all;
    }

    private static boolean changes(Part part) {
        return part.isPatching() || part.mutates();
    }

    private void hold(Part part) {
        (part.isPatching() ? patching : changing).add(part);
    }

    private boolean isBlocked(Part part) {
        return overlapsAny(part.blocks, patching) || (part.isPatching() && overlapsAny(part.blocks, changing));
    }

    private static boolean conflicts(Part part, Iterable<Part> others) {
        for (Part other : others) {
            if ((part.isPatching() || other.isPatching()) && other.blocks.overlaps(part.blocks)) {
                return true;
            }
        }
        return false;
    }

    private static boolean overlapsAny(ByteRange range, List<Part> others) {
        for (Part other : others) {
            if (other.blocks.overlaps(range)) {
                return true;
            }
        }
        return false;
    }
}
