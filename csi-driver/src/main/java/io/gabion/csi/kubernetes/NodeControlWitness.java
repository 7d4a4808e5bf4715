package io.gabion.csi.kubernetes;

import io.gabion.csi.backend.BackendUnavailableException;
import io.gabion.csi.backend.FenceWitness;
import io.gabion.csi.backend.StorageNodes;
import io.gabion.csi.backend.StoredVolume;
import io.gabion.model.NodeName;
import io.gabion.protocol.control.ControlChannels;
import io.gabion.protocol.control.ControlErrors;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlTls;
import io.gabion.protocol.control.v1.ListReplicasRequest;
import io.gabion.protocol.control.v1.NodeControlGrpc;
import io.gabion.protocol.control.v1.ReplicaStatus;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Asks storage nodes over their control interface, under mutual TLS. */
public final class NodeControlWitness implements FenceWitness {
    private static final String PRIMARY = "primary";

    private final StorageNodes nodes;
    private final TlsSource tls;

    /** The identity of this process; read at every call, for certificates are renewed. */
    @FunctionalInterface
    public interface TlsSource {
        ControlTls current() throws IOException;
    }

    public NodeControlWitness(StorageNodes nodes, TlsSource tls) {
        this.nodes = nodes;
        this.tls = tls;
    }

    @Override
    public Testimony ask(NodeName node, StoredVolume volume, Duration limit) {
        StorageNodes.Address address = nodes.current().stream()
                .filter(a -> a.node().equals(node))
                .findFirst()
                .orElseThrow(() -> new BackendUnavailableException(
                        "the address of storage node \"" + node + "\" is not known", null));
        ManagedChannel channel = channel(address);
        try {
            List<ReplicaStatus> replicas = NodeControlGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(limit.toMillis(), TimeUnit.MILLISECONDS)
                    .listReplicas(ListReplicasRequest.newBuilder()
                            .setVolume(volume.id().toString())
                            .build())
                    .getReplicasList();
            return replicas.stream()
                    .filter(replica -> replica.getVolume().equals(volume.id().toString()))
                    .findFirst()
                    .map(NodeControlWitness::testimony)
                    .orElse(new Testimony(false, 0, 0, List.of()));
        } catch (StatusRuntimeException e) {
            throw new BackendUnavailableException(
                    ControlErrors.describe("storage node " + node + " at " + address.host(), e), e);
        } finally {
            channel.shutdownNow();
        }
    }

    private ManagedChannel channel(StorageNodes.Address address) {
        try {
            return ControlChannels.secure(
                    address.host(), address.controlPort(), tls.current(), Set.of(ControlRole.NODE));
        } catch (IOException e) {
            throw new BackendUnavailableException(
                    "this driver has no certificate to ask storage nodes with: " + e.getMessage(), e);
        }
    }

    private static Testimony testimony(ReplicaStatus replica) {
        return new Testimony(
                replica.getRole().equals(PRIMARY),
                replica.getPromisedEpoch(),
                replica.getRecordVersion(),
                replica.getSessionsList().stream()
                        .map(NodeControlWitness::generation)
                        .toList());
    }

    /** Sessions are told as GENERATION/CONNECTION@INSTANCE; what cannot be read counts as the oldest. */
    static long generation(String session) {
        int slash = session.indexOf('/');
        try {
            return slash < 0 ? 0 : Long.parseLong(session, 0, slash, 10);
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}
