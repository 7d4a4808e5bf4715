package io.gabion.simulator.checker;

import io.gabion.core.port.ReplicaRecord;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeRecord;
import io.gabion.simulator.Trace;
import io.gabion.simulator.client.SimulatedClient;
import io.gabion.simulator.cluster.StorageHost;
import io.gabion.simulator.configuration.ConfigurationService;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What must hold some time after the last fault: all replicas in sync and equal, every request answered, nothing leaked. */
public final class Convergence {
    private final Trace trace;
    private final ConfigurationService configuration;
    private final List<StorageHost> hosts;
    private final List<SimulatedClient> clients;

    public Convergence(
            Trace trace, ConfigurationService configuration, List<StorageHost> hosts, List<SimulatedClient> clients) {
        this.trace = trace;
        this.configuration = configuration;
        this.hosts = List.copyOf(hosts);
        this.clients = clients;
    }

    /** All replicas in sync and no request open? */
    public boolean reached() {
        return missing().isEmpty();
    }

    private boolean isPlaced(StorageHost host) {
        return configuration.current().replicaOn(host.name()).isPresent();
    }

    /** All replicas where they should be, and in sync? */
    public boolean allInSync() {
        return missingReplicas().isEmpty();
    }

    private List<String> missingReplicas() {
        List<String> missing = new ArrayList<>();
        VolumeConfig config = configuration.current().config();
        VolumeRecord volume = configuration.current();
        for (ReplicaPlacement removed : volume.removed()) {
            if (volume.placement().contains(removed)) {
                missing.add("the replica on " + removed.node() + " is not removed yet");
            }
        }
        for (StorageHost host : hosts) {
            Optional<ReplicaRecord> record = host.disk().record();
            if (!isPlaced(host)) {
                if (record.isPresent()) {
                    missing.add(host.name() + " still has a replica: " + host.view());
                }
            } else if (record.isEmpty()
                    || !config.isInSync(record.get().replica(), record.get().incarnation())) {
                missing.add(host.name() + " is not in sync: " + host.view());
            }
        }
        return missing;
    }

    private List<String> missing() {
        List<String> missing = missingReplicas();
        SimulatedClient last = clients.getLast();
        if (!last.isOpen()) {
            missing.add(last.name() + " has no session");
        }
        if (last.outstandingCount() > 0) {
            missing.add(last.name() + " waits for " + last.stuck());
        }
        return missing;
    }

    /** Reports everything that does not hold. */
    public void check() {
        List<String> missing = missing();
        missing.forEach(text -> trace.violation("check", text));
        if (!missing.isEmpty()) {
            hosts.forEach(host -> trace.line("check", host.name() + ": " + host.view()));
            return;
        }
        List<StorageHost> placed = hosts.stream().filter(this::isPlaced).toList();
        StorageHost first = placed.getFirst();
        for (StorageHost host : placed.subList(1, placed.size())) {
            first.disk()
                    .image()
                    .difference(host.disk().image())
                    .ifPresent(text ->
                            trace.violation("check", first.name() + " and " + host.name() + " differ: " + text));
        }
        for (StorageHost host : hosts) {
            host.payloads()
                    .filter(payloads -> payloads.live() != 0)
                    .ifPresent(payloads -> trace.violation("check", host.name() + " leaked payloads: " + payloads));
        }
        for (SimulatedClient client : clients) {
            if (client.livePayloads() != 0) {
                trace.violation("check", client.name() + " leaked " + client.livePayloads() + " payloads");
            }
        }
    }
}
