package io.gabion.core.message;

import io.gabion.model.Lsn;

/**
 * Summary of one region of {@link io.gabion.model.BlockGeometry#REGION_BYTES}.
 *
 * @param highest highest LSN of an operation that touched the region
 * @param hash sum over its mapped blocks of a 64-bit hash of (block, LSN, CRC); holes add nothing, so that equal content has
 *     an equal hash however it came about
 */
public record RegionState(int region, Lsn highest, long hash) {}
