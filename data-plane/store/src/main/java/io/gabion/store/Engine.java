package io.gabion.store;

import io.gabion.store.device.BlockDevice;
import io.gabion.store.extent.BlockAllocator;
import java.util.concurrent.Executor;

/** What all parts of an open disk share. {@code helpers} run what would block the owner loop. */
record Engine(
        Executor loop,
        Executor helpers,
        BlockDevice device,
        DiskIndex index,
        BlockAllocator allocator,
        Readers readers,
        Notifier notifier) {}
