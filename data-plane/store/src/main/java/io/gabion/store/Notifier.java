package io.gabion.store;

/** Where the parts of a disk report to. */
record Notifier(StoreEvents events, StoreMetrics metrics, Fault fault) {}
