package io.gabion.agent.session;

import static java.util.Objects.requireNonNull;

import io.gabion.model.VolumeId;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;

/**
 * A volume that this agent serves.
 *
 * @param exportName under which NBD clients find it
 * @param generation of the attachment in the volume's record, at least 1
 * @param firstRequestNumber higher than any request number that an earlier process used in this generation
 * @param sizeBytes as known when it was last open; 0: never open
 * @param nodes where the replicas live, in the order in which to try them
 */
public record Attachment(
        VolumeId volume,
        String exportName,
        long generation,
        boolean readOnly,
        long firstRequestNumber,
        long sizeBytes,
        List<NodeAddress> nodes) {
    /** The NBD protocol's limit for names. */
    private static final int MAX_NAME_BYTES = 4096;
    /** Many more than replicas of a volume. */
    private static final int MAX_NODES = 64;

    public Attachment {
        requireNonNull(volume, "volume is null");
        nodes = List.copyOf(nodes);
        if (exportName.isEmpty()
                || exportName.getBytes(StandardCharsets.UTF_8).length > MAX_NAME_BYTES
                || exportName.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException(
                    "export_name must be 1 to " + MAX_NAME_BYTES + " bytes without control characters");
        }
        if (generation < 1) {
            throw new IllegalArgumentException("generation must be at least 1, not " + generation);
        }
        if (nodes.isEmpty() || nodes.size() > MAX_NODES) {
            throw new IllegalArgumentException("nodes must be 1 to " + MAX_NODES + ", not " + nodes.size());
        }
        HashSet<String> names = new HashSet<>();
        for (NodeAddress address : nodes) {
            if (!names.add(address.node().value())) {
                throw new IllegalArgumentException("nodes names " + address.node() + " twice");
            }
        }
    }

    Attachment withSizeBytes(long newSizeBytes) {
        return new Attachment(volume, exportName, generation, readOnly, firstRequestNumber, newSizeBytes, nodes);
    }

    Attachment withFirstRequestNumber(long number) {
        return new Attachment(volume, exportName, generation, readOnly, number, sizeBytes, nodes);
    }

    /** For logs. */
    public String describe() {
        return exportName + " (" + volume + ", generation " + generation + ")";
    }
}
