package io.gabion.core.port;

import io.gabion.model.Lsn;

/** Epoch {@code epoch} began after operation {@code start} of an earlier epoch; operations after it and before the epoch never counted. */
public record EpochStart(long epoch, Lsn start) {}
