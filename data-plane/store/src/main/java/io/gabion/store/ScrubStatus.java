package io.gabion.store;

import java.util.Optional;

/**
 * How far the light scrub of a disk is since it was opened.
 *
 * @param passes times everything was read
 * @param checkedBytes read and compared with their checksums
 * @param damagedBlocks that did not match, or could not be read; one that stays is counted in every pass
 * @param lastDamage names the last of them
 */
public record ScrubStatus(long passes, long checkedBytes, long damagedBlocks, Optional<String> lastDamage) {}
