package io.gabion.cli.cluster;

import io.gabion.cli.text.CommandFailure;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.protocol.control.ControlChannels;
import io.gabion.protocol.control.ControlErrors;
import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlTls;
import io.gabion.protocol.control.v1.AgentControlGrpc;
import io.gabion.protocol.control.v1.ConfigurationStoreGrpc;
import io.gabion.protocol.control.v1.NodeControlGrpc;
import io.gabion.protocol.control.v1.SnapshotControlGrpc;
import io.gabion.protocol.control.v1.SnapshotRecordsGrpc;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Connections to the processes of one cluster, opened when first used. Thread-safe. */
public final class Cluster implements AutoCloseable {
    private final ClusterContext context;
    private final ControlTls tls;
    private final Map<NodeName, ManagedChannel> nodes = new HashMap<>();
    private final List<ManagedChannel> open = new ArrayList<>();
    private final ManagedChannel store;

    public Cluster(ClusterContext context) {
        this.context = context;
        try {
            this.tls = ControlTls.load(context.cluster(), context.certificate(), context.key(), context.ca());
            if (tls.self().role() != ControlRole.OPERATOR) {
                throw new CommandFailure("certificate " + context.certificate() + " is " + tls.self()
                        + "; this command needs one with the role operator");
            }
            this.store = ControlChannels.secure(
                    context.configurationStore().host(),
                    context.configurationStore().port(),
                    tls,
                    Set.of(ControlRole.CONFIGURATION_STORE));
        } catch (IOException e) {
            throw new CommandFailure(String.valueOf(e.getMessage()), e);
        }
        open.add(store);
    }

    /** Calls the configuration store; throws {@link CommandFailure} in words for people. */
    public <T> T store(Function<ConfigurationStoreGrpc.ConfigurationStoreBlockingStub, T> call) {
        try {
            return storeRaw(call);
        } catch (StatusRuntimeException e) {
            throw new CommandFailure(ControlErrors.describe(storeName(), e), e);
        }
    }

    /** Calls the configuration store; a failure comes as gRPC gave it. */
    public <T> T storeRaw(Function<ConfigurationStoreGrpc.ConfigurationStoreBlockingStub, T> call) {
        return call.apply(ConfigurationStoreGrpc.newBlockingStub(store).withDeadlineAfter(Deadlines.CALL));
    }

    /** As {@link #store}, for the names of snapshots. */
    public <T> T snapshotRecords(Function<SnapshotRecordsGrpc.SnapshotRecordsBlockingStub, T> call) {
        try {
            return call.apply(SnapshotRecordsGrpc.newBlockingStub(store).withDeadlineAfter(Deadlines.CALL));
        } catch (StatusRuntimeException e) {
            throw new CommandFailure(ControlErrors.describe(storeName(), e), e);
        }
    }

    public String storeName() {
        return "configuration store " + context.configurationStore();
    }

    /** Calls a node; throws {@link CommandFailure} in words for people. */
    public <T> T node(NodeRecord node, Duration deadline, Function<NodeControlGrpc.NodeControlBlockingStub, T> call) {
        try {
            return nodeRaw(node, deadline, call);
        } catch (StatusRuntimeException e) {
            throw new CommandFailure(ControlErrors.describe(nodeName(node), e), e);
        }
    }

    public <T> T nodeRaw(
            NodeRecord node, Duration deadline, Function<NodeControlGrpc.NodeControlBlockingStub, T> call) {
        return call.apply(NodeControlGrpc.newBlockingStub(channel(node)).withDeadlineAfter(deadline));
    }

    /** As {@link #nodeRaw}, for what is about snapshots. */
    public <T> T snapshotsRaw(
            NodeRecord node, Duration deadline, Function<SnapshotControlGrpc.SnapshotControlBlockingStub, T> call) {
        return call.apply(SnapshotControlGrpc.newBlockingStub(channel(node)).withDeadlineAfter(deadline));
    }

    public static String nodeName(NodeRecord node) {
        return "node " + node.name() + " (" + node.host() + ":" + node.controlPort() + ")";
    }

    private synchronized ManagedChannel channel(NodeRecord node) {
        return nodes.computeIfAbsent(node.name(), _ -> {
            try {
                ManagedChannel channel =
                        ControlChannels.secure(node.host(), node.controlPort(), tls, Set.of(ControlRole.NODE));
                open.add(channel);
                return channel;
            } catch (IOException e) {
                throw new CommandFailure(nodeName(node) + ": " + e.getMessage(), e);
            }
        });
    }

    /** Calls the agent that the context names; throws {@link CommandFailure} in words for people. */
    public <T> T agent(Duration deadline, Function<AgentControlGrpc.AgentControlBlockingStub, T> call) {
        try {
            return agentRaw(deadline, call);
        } catch (StatusRuntimeException e) {
            throw new CommandFailure(ControlErrors.describe(agentName(), e), e);
        }
    }

    public <T> T agentRaw(Duration deadline, Function<AgentControlGrpc.AgentControlBlockingStub, T> call) {
        ManagedChannel channel = agentChannel();
        return call.apply(AgentControlGrpc.newBlockingStub(channel).withDeadlineAfter(deadline));
    }

    public String agentName() {
        return "agent "
                + context.agentControl()
                        .map(address -> switch (address) {
                            case ClusterContext.AgentAddress.Secure secure ->
                                secure.address().toString();
                            case ClusterContext.AgentAddress.Socket socket ->
                                socket.path().toString();
                        })
                        .orElse("(none in the context)");
    }

    private synchronized ManagedChannel agentChannel() {
        ClusterContext.AgentAddress address = context.agentControl()
                .orElseThrow(() -> new CommandFailure(
                        "the context names no agent: add agent-control=HOST:PORT or the path of its socket"));
        try {
            ManagedChannel channel =
                    switch (address) {
                        case ClusterContext.AgentAddress.Secure secure ->
                            ControlChannels.secure(
                                    secure.address().host(), secure.address().port(), tls, Set.of(ControlRole.AGENT));
                        case ClusterContext.AgentAddress.Socket socket -> ControlChannels.unixSocket(socket.path());
                    };
            open.add(channel);
            return channel;
        } catch (IOException e) {
            throw new CommandFailure(agentName() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public synchronized void close() {
        open.forEach(ManagedChannel::shutdownNow);
    }
}
