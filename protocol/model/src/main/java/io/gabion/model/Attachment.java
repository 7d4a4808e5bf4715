package io.gabion.model;

import static java.util.Objects.requireNonNull;

/** A node's right to open the volume. Only an agent whose certificate names {@code node} may open with {@code generation}. */
public record Attachment(NodeName node, long generation, boolean readOnly) {
    public Attachment {
        requireNonNull(node, "node is null");
        if (generation < 1) {
            throw new IllegalArgumentException("generation must be at least 1: " + generation);
        }
    }
}
