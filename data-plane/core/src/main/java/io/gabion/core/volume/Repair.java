package io.gabion.core.volume;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.BlockVersion;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import io.gabion.model.ByteRange;
import io.gabion.model.InSyncMember;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Gets good copies of damaged blocks from other in-sync members, each asked once. A version has the same content wherever it is,
 * and the store puts a copy only in the place of that very version: so nothing has to be ordered with the stream. What cannot be
 * repaired is dropped; whoever meets the damage again says so again.
 */
final class Repair {
    private static final int MAX_UNDER_WAY = 4;
    /** Groups that wait; a disk that tells of more at once is asked again by its scrub. */
    private static final int MAX_WAITING = 256;
    /** Blocks in a group: bounds an answer to 256 KiB. */
    private static final int MAX_BLOCKS = 64;

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** Neighbours of one version. */
    private record Group(long snapshot, Lsn lsn, ByteRange range) {}

    private static final class Attempt {
        final Group group;
        final ArrayDeque<NodeName> left;
        NodeName asked;
        long askedAtNanos;

        Attempt(Group group, ArrayDeque<NodeName> sources) {
            this.group = group;
            this.asked = sources.removeFirst();
            this.left = sources;
        }
    }

    private final Replica r;
    private final LinkedHashSet<Group> waiting = new LinkedHashSet<>();
    private final Map<Long, Attempt> underWay = new LinkedHashMap<>();

    Repair(Replica replica) {
        this.r = replica;
    }

    void damaged(Event.BlocksDamaged damage) {
        underWay.values().removeIf(attempt -> r.now - attempt.askedAtNanos >= PATIENCE_NANOS);
        List<BlockVersion> blocks = damage.blocks();
        int start = 0;
        for (int end = 1; end <= blocks.size(); end++) {
            if (end == blocks.size() || end - start == MAX_BLOCKS || !continues(blocks.get(end - 1), blocks.get(end))) {
                BlockVersion first = blocks.get(start);
                add(new Group(damage.snapshot(), first.lsn(), ByteRange.ofBlocks(first.block(), end - start)));
                start = end;
            }
        }
        proceed();
    }

    private static boolean continues(BlockVersion before, BlockVersion next) {
        return next.block() == before.block() + 1 && next.lsn().equals(before.lsn());
    }

    private void add(Group group) {
        boolean known = underWay.values().stream().anyMatch(attempt -> attempt.group.equals(group));
        if (!known && waiting.size() < MAX_WAITING) {
            waiting.add(group);
        }
    }

    private void proceed() {
        Iterator<Group> next = waiting.iterator();
        while (underWay.size() < MAX_UNDER_WAY && next.hasNext()) {
            Group group = next.next();
            next.remove();
            ArrayDeque<NodeName> sources = sources();
            if (!sources.isEmpty()) {
                ask(new Attempt(group, sources));
            }
        }
    }

    /** None for a replica that is not in sync: its resync replaces what is bad. */
    private ArrayDeque<NodeName> sources() {
        ArrayDeque<NodeName> nodes = new ArrayDeque<>();
        if (r.isMine(r.cfg())) {
            for (InSyncMember member : r.cfg().inSync()) {
                r.record
                        .nodeOf(member.replica())
                        .filter(node -> !node.equals(r.self) && r.peers.isUp(node))
                        .ifPresent(nodes::add);
            }
        }
        return nodes;
    }

    private void ask(Attempt attempt) {
        long fetch = r.ticket();
        attempt.askedAtNanos = r.now;
        underWay.put(fetch, attempt);
        r.send(
                attempt.asked,
                new PeerMessage.FetchBlocks(
                        r.volume,
                        r.promised(),
                        r.me(),
                        fetch,
                        attempt.group.range(),
                        List.of(),
                        attempt.group.snapshot()));
    }

    /** True when it was asked for here; it owns the payloads then. */
    boolean blocks(PeerMessage.Blocks blocks) {
        Attempt attempt = underWay.remove(blocks.fetch());
        if (attempt == null) {
            return false;
        }
        boolean found = false;
        for (BlockRun run : blocks.runs()) {
            if (run.lsn().equals(attempt.group.lsn()) && run.payload().isPresent()) {
                found = true;
                r.append(new LogRecord.Repaired(run));
            } else {
                Payloads.release(List.of(run));
            }
        }
        if (!found) {
            askNext(attempt);
        }
        proceed();
        return true;
    }

    /** True when it was asked for here. */
    boolean unreadable(PeerMessage.BlocksUnreadable message) {
        Attempt attempt = underWay.remove(message.fetch());
        if (attempt == null) {
            return false;
        }
        askNext(attempt);
        proceed();
        return true;
    }

    void linkLost(NodeName node) {
        for (Map.Entry<Long, Attempt> entry : List.copyOf(underWay.entrySet())) {
            if (entry.getValue().asked.equals(node)) {
                underWay.remove(entry.getKey());
                askNext(entry.getValue());
            }
        }
        proceed();
    }

    private void askNext(Attempt attempt) {
        NodeName next = attempt.left.pollFirst();
        if (next != null) {
            attempt.asked = next;
            ask(attempt);
        }
    }
}
