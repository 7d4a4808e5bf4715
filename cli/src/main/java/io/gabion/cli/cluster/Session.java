package io.gabion.cli.cluster;

import io.gabion.cli.text.Output;

/** What the global options of the command line give to every command. */
public interface Session {
    /** Connects to the cluster of the context; throws {@link io.gabion.cli.text.CommandFailure}. The caller closes it. */
    Cluster connect();

    Output output();
}
