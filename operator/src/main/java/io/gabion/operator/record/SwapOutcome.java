package io.gabion.operator.record;

import io.gabion.api.v1alpha1.Volume;

/** What became of a change of a Volume. */
public sealed interface SwapOutcome {
    /** @param volume as stored */
    record Won(Volume volume) implements SwapOutcome {}

    /** Somebody else was faster, or the outcome could not be learnt: look again. */
    record Lost() implements SwapOutcome {}

    /** @param why the API server's words */
    record Refused(String why) implements SwapOutcome {}
}
