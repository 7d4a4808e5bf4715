package io.gabion.cli;

import io.gabion.cli.text.CommandGroup;
import picocli.CommandLine.Command;

/** Commands that only hold others. */
final class Groups {
    private Groups() {}

    @Command(name = "pool", description = "Pools: sets of disks that volumes are placed on.")
    static final class Pool extends CommandGroup {}

    @Command(name = "node", description = "Storage nodes.")
    static final class Node extends CommandGroup {}

    @Command(name = "store", description = "The directory of a stopped node.")
    static final class Store extends CommandGroup {}
}
