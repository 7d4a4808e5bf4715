package io.gabion.store;

import io.gabion.model.ClusterId;
import io.gabion.model.DiskId;
import io.gabion.model.NodeName;

/**
 * Who the opened disk is.
 *
 * @param openCount of this opening, already durable in the superblock; the caller records it in the configuration store next
 * @param rolledBack the superblock's count was lower than the recorded one: nothing on this disk may be a source
 * @param unclean the machine was started anew since, without a clean shutdown of the disk
 * @param formatted this opening created the disk
 */
public record DiskIdentity(
        DiskId disk,
        ClusterId cluster,
        NodeName node,
        String pool,
        long openCount,
        int formatVersion,
        boolean rolledBack,
        boolean unclean,
        boolean formatted) {}
