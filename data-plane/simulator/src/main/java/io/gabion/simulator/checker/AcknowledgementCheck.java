package io.gabion.simulator.checker;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.ClientMessage.IoStatus;
import io.gabion.core.message.RequestId;
import io.gabion.core.port.ReplicaStatus;
import io.gabion.model.InSyncMember;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeConfig;
import io.gabion.simulator.Trace;
import io.gabion.simulator.client.ClientOperation;
import io.gabion.simulator.cluster.StorageHost;
import io.gabion.simulator.configuration.ConfigurationService;
import io.gabion.simulator.disk.ReplicaImage;
import java.util.List;
import java.util.Optional;

/**
 * At the moment a write is acknowledged in an epoch, every member of that epoch's in-sync set holds it durably, or something
 * that came after it.
 */
public final class AcknowledgementCheck {
    private final Trace trace;
    private final ConfigurationService configuration;
    private final List<StorageHost> hosts;
    private final Histories histories;

    public AcknowledgementCheck(
            Trace trace, ConfigurationService configuration, List<StorageHost> hosts, Histories histories) {
        this.trace = trace;
        this.configuration = configuration;
        this.hosts = hosts;
        this.histories = histories;
    }

    public void answered(String node, ClientMessage.Response response) {
        if (response instanceof ClientMessage.Done done && done.status() == IoStatus.OK) {
            histories
                    .operation(done.request())
                    .filter(ClientOperation::changes)
                    .ifPresent(operation -> check(node, done, operation));
        }
    }

    private void check(String node, ClientMessage.Done done, ClientOperation operation) {
        if (!configuration.knowsEpoch(done.epoch())) {
            trace.violation(node, "acknowledges in epoch " + done.epoch() + ", which was never agreed");
            return;
        }
        VolumeConfig config = configuration.ofEpoch(done.epoch());
        Optional<Lsn> lsn = lsnAt(node, done.request());
        if (lsn.isEmpty()) {
            return;
        }
        for (InSyncMember member : config.inSync()) {
            Optional<NodeName> where = configuration.current().nodeOf(member.replica());
            hosts.stream()
                    .filter(host -> where.isPresent() && host.name().equals(where.get()))
                    .forEach(host -> checkMember(node, host, done, operation, lsn.get()));
        }
    }

    private Optional<Lsn> lsnAt(String node, RequestId request) {
        return host(node).flatMap(host -> host.disk().image().lsnOf(request));
    }

    private Optional<StorageHost> host(String node) {
        return hosts.stream().filter(host -> host.name().value().equals(node)).findFirst();
    }

    private void checkMember(
            String node, StorageHost host, ClientMessage.Done done, ClientOperation operation, Lsn lsn) {
        boolean lostItsDisk = host.disk()
                .record()
                .map(record -> record.status() == ReplicaStatus.EMPTY || record.status() == ReplicaStatus.CATCHING_UP)
                .orElse(true);
        if (lostItsDisk) {
            // It held the write when it said so; the answer was only on its way for longer.
            return;
        }
        ReplicaImage image = host.disk().image();
        for (int i = 0; i < operation.range().blockCount(); i++) {
            long block = operation.range().firstBlock() + i;
            // A hole that was never written equals one that was trimmed, whatever its version.
            boolean equal = !host.name().value().equals(node)
                    && host(node)
                            .map(h -> image.sameContent(block, h.disk().image()))
                            .orElse(false);
            if (!equal && !image.holds(block, operation.valueOf(block), lsn)) {
                trace.violation(
                        node,
                        "acknowledges " + operation + " in epoch " + done.epoch() + " as " + lsn + ", but "
                                + host.name() + " does not hold block " + block + " durably");
                return;
            }
        }
    }
}
