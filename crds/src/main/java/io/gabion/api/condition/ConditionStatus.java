package io.gabion.api.condition;

/** Whether a condition holds. */
public enum ConditionStatus {
    TRUE("True"),
    FALSE("False"),
    UNKNOWN("Unknown");

    private final String text;

    ConditionStatus(String text) {
        this.text = text;
    }

    /** As in {@code status.conditions[].status}. */
    public String text() {
        return text;
    }

    public static ConditionStatus of(boolean holds) {
        return holds ? TRUE : FALSE;
    }
}
