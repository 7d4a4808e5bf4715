package io.gabion.csi.controller;

import io.gabion.csi.backend.StoredVolume;
import io.gabion.csi.rpc.CsiFailure;
import io.gabion.model.Attachment;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeConfig;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Who may open a volume: pure steps from one configuration to the next. A generation is given once, and the floor remembers the
 * highest that was taken back. Between {@link #fenced} and {@link #withdrawn} an attachment still stands below the floor: nobody
 * else gets the volume until the acting primary confirmed that it refuses the old session.
 */
final class Sessions {
    private Sessions() {}

    /** The node gets the right to open the volume; the same right again when it has it already. */
    static VolumeConfig granted(
            StoredVolume volume, VolumeConfig config, NodeName node, boolean readOnly, String writer) {
        if (volume.marks().deleting()) {
            throw CsiFailure.precondition("volume \"" + volume.name() + "\" is being deleted");
        }
        for (Attachment other : config.attachments()) {
            if (!other.node().equals(node)) {
                throw CsiFailure.precondition("volume \"" + volume.name() + "\" is published at node \"" + other.node()
                        + "\"" + (isFenced(config, other) ? ", whose session is being fenced" : "")
                        + "; a volume is one node's at a time");
            }
        }
        Optional<Attachment> standing = find(config, node).filter(a -> !isFenced(config, a));
        if (standing.isPresent()) {
            if (standing.get().readOnly() != readOnly) {
                throw CsiFailure.alreadyExists("volume \"" + volume.name() + "\" is published at node \"" + node + "\" "
                        + (readOnly ? "for writing, not read-only" : "read-only, not for writing"));
            }
            return config;
        }
        long highest = config.attachments().stream()
                .mapToLong(Attachment::generation)
                .max()
                .orElse(0);
        long generation = Math.max(config.sessionFloor(), highest) + 1;
        return config.withAttachments(
                List.of(new Attachment(node, generation, readOnly)), config.sessionFloor(), writer);
    }

    /** Sessions of these attachments are refused from now on; the attachments stay until that is confirmed. */
    static VolumeConfig fenced(VolumeConfig config, Predicate<Attachment> which, String writer) {
        long floor = config.sessionFloor();
        for (Attachment attachment : config.attachments()) {
            if (which.test(attachment)) {
                floor = Math.max(floor, attachment.generation() + 1);
            }
        }
        return floor == config.sessionFloor() ? config : config.withAttachments(config.attachments(), floor, writer);
    }

    /** Takes away what is fenced of these attachments. */
    static VolumeConfig withdrawn(VolumeConfig config, Predicate<Attachment> which, String writer) {
        List<Attachment> left = config.attachments().stream()
                .filter(a -> !(which.test(a) && isFenced(config, a)))
                .toList();
        return left.size() == config.attachments().size()
                ? config
                : config.withAttachments(left, config.sessionFloor(), writer);
    }

    static Optional<Attachment> find(VolumeConfig config, NodeName node) {
        return config.attachments().stream().filter(a -> a.node().equals(node)).findFirst();
    }

    private static boolean isFenced(VolumeConfig config, Attachment attachment) {
        return attachment.generation() < config.sessionFloor();
    }
}
