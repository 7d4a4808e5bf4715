package io.gabion.simulator.configuration;

import io.gabion.core.port.Event;
import io.gabion.core.port.Event.ReadOutcome;
import io.gabion.core.port.Event.SwapOutcome;
import io.gabion.model.ConfigTransition;
import io.gabion.model.InSyncMember;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeRecord;
import io.gabion.simulator.Dice;
import io.gabion.simulator.Scheduler;
import io.gabion.simulator.Trace;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * The configuration store of one volume: linearizable compare-and-swap with the rules of {@link ConfigTransition}, lost and
 * late replies, outages, and watches that lag. Keeps every epoch's members for the checkers.
 */
public final class ConfigurationService {
    private static final long DELAY_NANOS = 4_000_000;
    private static final long TIMEOUT_NANOS = 1_500_000_000;

    private final Scheduler scheduler;
    private final Dice dice;
    private final Trace trace;
    private final Set<String> cutOff = new HashSet<>();
    private final Map<String, Watch> watches = new LinkedHashMap<>();
    private final TreeMap<Long, VolumeConfig> byEpoch = new TreeMap<>();
    private VolumeRecord current;
    private boolean down;
    private double lossRate;
    private long watchLagNanos = 50_000_000;
    private int changes;
    private long nextWatch;
    private long lastUnavailableNanos = -1;

    private record Watch(long number, Consumer<VolumeRecord> listener) {}

    public ConfigurationService(Scheduler scheduler, Dice dice, Trace trace, VolumeRecord first) {
        this.scheduler = scheduler;
        this.dice = dice;
        this.trace = trace;
        current = first;
        byEpoch.put(first.config().epoch(), first.config());
    }

    // ---- as nodes see it
    /** Quorum read. The answer comes once. */
    public void read(String node, Consumer<ReadOutcome> answer) {
        if (unreachable(node) || dice.chance(lossRate)) {
            scheduler.after(dice.between(DELAY_NANOS, TIMEOUT_NANOS), () -> {
                lastUnavailableNanos = scheduler.nowNanos();
                answer.accept(new ReadOutcome.Unavailable("injected outage"));
            });
            return;
        }
        scheduler.after(dice.around(DELAY_NANOS), () -> {
            VolumeRecord found = current;
            scheduler.after(dice.around(DELAY_NANOS), () -> answer.accept(new ReadOutcome.Found(found)));
        });
    }

    /** Compare-and-swap on the version. The answer comes once; Unknown says nothing about what happened or will. */
    public void swap(String node, VolumeRecord next, Consumer<SwapOutcome> answer) {
        if (unreachable(node)) {
            scheduler.after(
                    dice.between(DELAY_NANOS, TIMEOUT_NANOS),
                    () -> answer.accept(new SwapOutcome.Unknown("injected outage")));
            return;
        }
        if (dice.chance(lossRate)) {
            loseReply(node, next, answer);
            return;
        }
        scheduler.after(dice.around(DELAY_NANOS), () -> {
            SwapOutcome outcome = apply(node, next);
            scheduler.after(dice.around(DELAY_NANOS), () -> answer.accept(outcome));
        });
    }

    /** The caller hears Unknown; the swap never happened, happened before that, or happens after it. */
    private void loseReply(String node, VolumeRecord next, Consumer<SwapOutcome> answer) {
        long answerNanos = dice.between(DELAY_NANOS, TIMEOUT_NANOS);
        scheduler.after(answerNanos, () -> answer.accept(new SwapOutcome.Unknown("injected loss of the reply")));
        switch (dice.below(3)) {
            case 0 -> trace.line("config", "lost before it arrived: " + describe(next.config()));
            case 1 -> scheduler.after(dice.between(0, answerNanos), () -> apply(node, next));
            default -> scheduler.after(answerNanos + dice.around(answerNanos), () -> apply(node, next));
        }
    }

    private SwapOutcome apply(String node, VolumeRecord next) {
        VolumeConfig proposed = next.config();
        if (proposed.version() != current.config().version() + 1) {
            trace.line("config", node + " loses with " + describe(proposed));
            return new SwapOutcome.Lost(current);
        }
        List<String> broken = ConfigTransition.violations(current, next);
        if (!broken.isEmpty()) {
            trace.violation("config", node + " proposes what may never be: " + broken + " in " + describe(proposed));
            return new SwapOutcome.Refused(broken);
        }
        checkMembers(node, current.config(), proposed);
        accept(node, next);
        return new SwapOutcome.Won(next);
    }

    /** I5: the next primary was in sync, unless it is the only member of a set that all lost power. */
    private void checkMembers(String node, VolumeConfig before, VolumeConfig after) {
        boolean known = before.member(after.primary()).isPresent();
        if (!known) {
            trace.violation("config", node + " makes " + after.primary() + " primary, which was not in sync");
        }
    }

    private void accept(String node, VolumeRecord next) {
        current = next;
        changes++;
        byEpoch.put(next.config().epoch(), next.config());
        trace.line("config", node + " sets " + describe(next.config()));
        List.copyOf(watches.keySet()).forEach(this::notifyWatch);
    }

    private boolean unreachable(String node) {
        return down || cutOff.contains(node);
    }

    // ---- watches
    /** Replaces the node's earlier watch. */
    public void watch(String node, Consumer<VolumeRecord> listener) {
        watches.put(node, new Watch(nextWatch++, listener));
        notifyWatch(node);
    }

    public void unwatch(String node) {
        watches.remove(node);
    }

    private void notifyWatch(String node) {
        Watch watch = watches.get(node);
        if (watch == null || unreachable(node)) {
            return;
        }
        VolumeRecord seen = current;
        scheduler.after(dice.around(watchLagNanos), () -> {
            Watch present = watches.get(node);
            if (present != null && present.number() == watch.number()) {
                present.listener().accept(seen);
            }
        });
    }

    // ---- faults
    public void setDown(boolean isDown) {
        down = isDown;
        if (!isDown) {
            List.copyOf(watches.keySet()).forEach(this::notifyWatch);
        }
    }

    public void setCutOff(String node, boolean isCutOff) {
        if (isCutOff) {
            cutOff.add(node);
        } else {
            cutOff.remove(node);
            notifyWatch(node);
        }
    }

    /** Share of requests whose reply is lost, 0 to 1. */
    public void setLossRate(double rate) {
        lossRate = rate;
    }

    /** Mean delay of watches. */
    public void setWatchLagNanos(long nanos) {
        watchLagNanos = nanos;
    }

    public void heal() {
        cutOff.clear();
        lossRate = 0;
        watchLagNanos = 50_000_000;
        setDown(false);
    }

    // ---- as operators and checkers see it
    /** An operator's change, at once and without loss. {@code change} returns the record under the next version. */
    public void administer(UnaryOperator<VolumeRecord> change) {
        accept("operator", change.apply(current));
    }

    public VolumeRecord current() {
        return current;
    }

    /** The last configuration of that epoch; the first one when the epoch is unknown is never returned: it throws. */
    public VolumeConfig ofEpoch(long epoch) {
        VolumeConfig config = byEpoch.get(epoch);
        if (config == null) {
            throw new IllegalArgumentException("no configuration of epoch " + epoch);
        }
        return config;
    }

    public boolean knowsEpoch(long epoch) {
        return byEpoch.containsKey(epoch);
    }

    /** When a node last heard that the store is not available; -1 for never. */
    public long lastUnavailableNanos() {
        return lastUnavailableNanos;
    }

    public int changes() {
        return changes;
    }

    private String describe(VolumeConfig config) {
        return "version " + config.version() + " epoch " + config.epoch() + " primary " + name(config.primary())
                + " in sync " + members(config.inSync()) + " by " + config.writer();
    }

    private String members(List<InSyncMember> members) {
        List<String> names = new ArrayList<>();
        members.forEach(member -> names.add(name(member.replica()) + "/" + member.incarnation()));
        return names.toString();
    }

    private String name(ReplicaId replica) {
        return current.nodeOf(replica).map(Object::toString).orElse(replica.toString());
    }

    /** For describing events in a trace. */
    public String describe(Event.SwapOutcome outcome) {
        return switch (outcome) {
            case SwapOutcome.Won won -> "Won " + describe(won.record().config());
            case SwapOutcome.Lost lost -> "Lost to " + describe(lost.current().config());
            case SwapOutcome.Refused refused -> refused.toString();
            case SwapOutcome.Unknown unknown -> unknown.toString();
        };
    }
}
