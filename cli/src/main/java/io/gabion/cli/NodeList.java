package io.gabion.cli;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.NodeSurvey;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.Ages;
import io.gabion.cli.text.ByteSize;
import io.gabion.cli.text.TextTable;
import io.gabion.model.NodeName;
import io.gabion.protocol.control.v1.DiskStatus;
import io.gabion.protocol.control.v1.NodeStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

@Command(name = "list", description = "Lists the storage nodes and how they are now.")
final class NodeList implements Callable<Integer> {
    private final Session session;

    NodeList(Session session) {
        this.session = session;
    }

    record Disk(String id, String pool, long sizeBytes, long usedBytes, long freeBytes, String state, String reason) {}

    record Peer(String node, boolean up, long lastHeartbeatAgeMillis) {}

    /** @param silentMillis since another node last heard of it, only for one that does not answer */
    record Report(
            String name,
            String host,
            int dataPort,
            int controlPort,
            int metricsPort,
            String softwareVersion,
            boolean reachable,
            String failure,
            @Nullable Long silentMillis,
            String networkBackend,
            String diskBackend,
            boolean configurationStoreReachable,
            List<Disk> disks,
            List<Peer> peers) {}

    @Override
    public Integer call() {
        try (Cluster cluster = session.connect()) {
            Map<NodeName, NodeSurvey.Answer> answers =
                    NodeSurvey.ask(cluster, new RecordAccess(cluster).nodes().values(), Optional.empty());
            List<Report> nodes = answers.values().stream()
                    .map(answer -> report(answer, answers))
                    .toList();
            session.output().show(nodes, () -> text(nodes));
        }
        return 0;
    }

    static Report report(NodeSurvey.Answer answer, Map<NodeName, NodeSurvey.Answer> all) {
        NodeStatus status = answer.status().orElse(NodeStatus.getDefaultInstance());
        boolean reachable = answer.status().isPresent();
        List<Disk> disks = new ArrayList<>();
        for (DiskStatus disk : status.getDisksList()) {
            disks.add(new Disk(
                    disk.getId(),
                    disk.getPool(),
                    disk.getSizeBytes(),
                    disk.getUsedBytes(),
                    disk.getFreeBytes(),
                    disk.getState(),
                    disk.getReason()));
        }
        return new Report(
                answer.node().name().value(),
                answer.node().host(),
                answer.node().dataPort(),
                answer.node().controlPort(),
                answer.node().metricsPort(),
                answer.node().softwareVersion(),
                reachable,
                answer.failure(),
                reachable
                        ? null
                        : NodeSurvey.silentMillis(all, answer.node().name()).orElse(null),
                status.getNetworkBackend(),
                status.getDiskBackend(),
                status.getConfigurationStoreReachable(),
                disks,
                status.getPeersList().stream()
                        .map(p -> new Peer(p.getNode(), p.getUp(), p.getLastHeartbeatAgeMillis()))
                        .toList());
    }

    private static String text(List<Report> nodes) {
        TextTable table = new TextTable("NAME", "STATE", "POOL", "USED", "FREE", "SIZE", "VERSION", "ADDRESS");
        StringBuilder notes = new StringBuilder();
        for (Report node : nodes) {
            String address = node.host() + ":" + node.controlPort();
            if (node.disks().isEmpty()) {
                table.row(
                        node.name(),
                        node.reachable() ? "no disk" : "unreachable",
                        "-",
                        "-",
                        "-",
                        "-",
                        node.softwareVersion(),
                        address);
            }
            for (Disk disk : node.disks()) {
                table.row(
                        node.name(),
                        disk.state(),
                        disk.pool(),
                        ByteSize.format(disk.usedBytes()),
                        ByteSize.format(disk.freeBytes()),
                        ByteSize.format(disk.sizeBytes()),
                        node.softwareVersion(),
                        address);
                if (!disk.reason().isEmpty()) {
                    notes.append(node.name())
                            .append(": disk ")
                            .append(disk.id())
                            .append(": ")
                            .append(disk.reason())
                            .append('\n');
                }
            }
            note(node, notes);
        }
        return table + (notes.isEmpty() ? "" : "\n" + notes);
    }

    private static void note(Report node, StringBuilder notes) {
        if (!node.reachable()) {
            notes.append(node.failure());
            Long silent = node.silentMillis();
            if (silent != null) {
                notes.append("; last heard of by another node ")
                        .append(Ages.text(silent))
                        .append(" ago");
            }
            notes.append('\n');
        } else if (!node.configurationStoreReachable()) {
            notes.append(node.name()).append(": cannot reach the configuration store\n");
        }
        for (Peer peer : node.peers()) {
            if (!peer.up()) {
                notes.append(node.name())
                        .append(": no link to ")
                        .append(peer.node())
                        .append('\n');
            }
        }
    }
}
