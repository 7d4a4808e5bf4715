package io.gabion.core.message;

import io.gabion.model.Lsn;

/** Version and checksum of one mapped block; a block that a list of versions does not name is a hole. Two blocks with equal version and checksum hold the same bytes. */
public record BlockVersion(long block, Lsn lsn, int crc32c) {}
