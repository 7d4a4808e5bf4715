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
 * @param nodes where the replicas live, in the order in which to try them; empty: on any node of the cluster
 * @param device how it is offered on this machine
 * @param failure why it may never be opened again: fenced, or failed on demand; empty while it may
 */
public record Attachment(
        VolumeId volume,
        String exportName,
        long generation,
        boolean readOnly,
        long firstRequestNumber,
        long sizeBytes,
        List<NodeAddress> nodes,
        DeviceKind device,
        String failure) {
    /** The NBD protocol's limit for names. */
    private static final int MAX_NAME_BYTES = 4096;
    /** Many more than replicas of a volume. */
    static final int MAX_NODES = 256;

    private static final int MAX_FAILURE_CHARS = 512;

    /** How a volume is offered. */
    public enum DeviceKind {
        /** To NBD clients. */
        NBD("nbd"),
        /** As a block device of this machine, and to NBD clients. */
        FUSE_LOOP("fuse-loop");

        private final String text;

        DeviceKind(String text) {
            this.text = text;
        }

        String text() {
            return text;
        }

        static DeviceKind of(String text) {
            for (DeviceKind kind : values()) {
                if (kind.text.equals(text)) {
                    return kind;
                }
            }
            throw new IllegalArgumentException("device must be nbd or fuse-loop, not \"" + text + "\"");
        }
    }

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
        if (nodes.size() > MAX_NODES) {
            throw new IllegalArgumentException("nodes must be at most " + MAX_NODES + ", not " + nodes.size());
        }
        requireNonNull(device, "device is null");
        failure = failure.replaceAll("\\p{Cntrl}", " ");
        failure = failure.substring(0, Math.min(failure.length(), MAX_FAILURE_CHARS));
        HashSet<String> names = new HashSet<>();
        for (NodeAddress address : nodes) {
            if (!names.add(address.node().value())) {
                throw new IllegalArgumentException("nodes names " + address.node() + " twice");
            }
        }
    }

    /** What is asked for before anything is known. */
    public static Attachment wanted(
            VolumeId volume,
            String exportName,
            long generation,
            boolean readOnly,
            List<NodeAddress> nodes,
            DeviceKind device) {
        return new Attachment(volume, exportName, generation, readOnly, 0, 0, nodes, device, "");
    }

    Attachment withSizeBytes(long newSizeBytes) {
        return new Attachment(
                volume, exportName, generation, readOnly, firstRequestNumber, newSizeBytes, nodes, device, failure);
    }

    Attachment withFirstRequestNumber(long number) {
        return new Attachment(volume, exportName, generation, readOnly, number, sizeBytes, nodes, device, failure);
    }

    Attachment withNodes(List<NodeAddress> newNodes) {
        return new Attachment(
                volume, exportName, generation, readOnly, firstRequestNumber, sizeBytes, newNodes, device, failure);
    }

    Attachment withFailure(String newFailure) {
        return new Attachment(
                volume, exportName, generation, readOnly, firstRequestNumber, sizeBytes, nodes, device, newFailure);
    }

    /** For logs. */
    public String describe() {
        return exportName + " (" + volume + ", generation " + generation + ")";
    }
}
