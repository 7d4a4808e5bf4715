package io.gabion.operator.rollout;

import io.gabion.operator.rollout.RolloutSituation.NodePod;
import io.gabion.operator.rollout.RolloutSituation.VolumeState;
import java.util.List;

/** What a rollout does next. */
public sealed interface RolloutStep {
    /** Every pod is current. */
    record Done() implements RolloutStep {}

    /** Something must come first, by itself. */
    record Waiting(String forWhat) implements RolloutStep {}

    /** A gate is closed; perhaps somebody has to do something. */
    record Blocked(boolean paused, String why) implements RolloutStep {}

    /** The node leads volumes that others can lead. */
    record HandOver(NodePod pod, List<VolumeState> volumes) implements RolloutStep {
        public HandOver {
            volumes = List.copyOf(volumes);
        }
    }

    /** The node may restart. */
    record Restart(NodePod pod) implements RolloutStep {}
}
