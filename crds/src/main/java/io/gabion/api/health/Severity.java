package io.gabion.api.health;

/** How much a health code matters. */
public enum Severity {
    /** Nothing to do. */
    INFO("Info"),
    /** Redundancy or room is reduced: look at it today. */
    WARNING("Warning"),
    /** Data cannot be reached, or the next failure may cost it: look at it now. */
    CRITICAL("Critical");

    private final String text;

    Severity(String text) {
        this.text = text;
    }

    /** As in {@code status.health[].severity}. */
    public String text() {
        return text;
    }
}
