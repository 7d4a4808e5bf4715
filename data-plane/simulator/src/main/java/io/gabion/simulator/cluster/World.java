package io.gabion.simulator.cluster;

import io.gabion.core.volume.ReplicaSettings;
import io.gabion.simulator.Dice;
import io.gabion.simulator.Scheduler;
import io.gabion.simulator.Trace;
import io.gabion.simulator.configuration.ConfigurationService;
import io.gabion.simulator.network.Network;

/** What all parts of one simulation share. */
public record World(
        Scheduler scheduler,
        Dice dice,
        Trace trace,
        Network network,
        ConfigurationService configuration,
        ReplicaSettings settings,
        Observer observer) {
    /** Endpoints are named "machine" or "machine.instance". */
    public String machineOf(String endpoint) {
        int dot = endpoint.indexOf('.');
        return dot < 0 ? endpoint : endpoint.substring(0, dot);
    }
}
