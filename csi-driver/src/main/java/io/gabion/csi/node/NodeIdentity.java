package io.gabion.csi.node;

import io.gabion.model.NodeName;

/**
 * What this machine is to the orchestrator.
 *
 * @param domain its failure domain: the segment of topology
 * @param maxVolumes attached at a time; 0: no limit of ours
 */
public record NodeIdentity(NodeName name, String domain, int maxVolumes) {}
