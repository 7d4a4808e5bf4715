package io.gabion.operator.failpoint;

import java.util.Locale;
import java.util.Optional;

/** Where a test may end the operator. In production nothing happens at any point. */
@FunctionalInterface
public interface FailPoint {
    /** Never fails. */
    FailPoint NONE = (_, _) -> {};

    /** Variable that makes {@link #ofEnvironment} end the process: {@code STEP:before} or {@code STEP:after}. */
    String VARIABLE = "GABION_OPERATOR_FAIL_POINT";

    /** Exit status of a process that ended at its fail-point. */
    int EXIT_STATUS = 86;

    /** Which side of the step. */
    enum Side {
        BEFORE,
        AFTER
    }

    void reached(Step step, Side side);

    /** Runs {@code effect} with the step's two fail-points around it. */
    default void around(Step step, Runnable effect) {
        reached(step, Side.BEFORE);
        effect.run();
        reached(step, Side.AFTER);
    }

    /** Ends the process at the point that {@code value} names. Throws {@link IllegalArgumentException} when there is none such. */
    static FailPoint ofEnvironment(Optional<String> value) {
        if (value.isEmpty() || value.get().isBlank()) {
            return NONE;
        }
        String[] parts = value.get().toUpperCase(Locale.ROOT).split(":", -1);
        if (parts.length != 2) {
            throw new IllegalArgumentException(VARIABLE + " must be STEP:before or STEP:after, not " + value.get());
        }
        Step wantedStep = Step.valueOf(parts[0].replace('-', '_'));
        Side wantedSide = Side.valueOf(parts[1]);
        return (step, side) -> {
            if (step == wantedStep && side == wantedSide) {
                Runtime.getRuntime().halt(EXIT_STATUS);
            }
        };
    }
}
