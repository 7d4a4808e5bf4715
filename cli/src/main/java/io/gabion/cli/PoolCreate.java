package io.gabion.cli;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.CommandFailure;
import io.gabion.cli.text.UsageFailure;
import io.gabion.model.NodeName;
import io.gabion.protocol.control.PoolRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "create", description = "Creates a pool.")
final class PoolCreate implements Callable<Integer> {
    private final Session session;

    @Parameters(paramLabel = "NAME", description = "Name of the pool, as nodes name it with --pool.")
    private String name = "";

    @Option(
            names = "--node",
            paramLabel = "NODE",
            description = "Nodes whose disks belong to it (default: every node).")
    private List<String> nodes = new ArrayList<>();

    PoolCreate(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        PoolRecord pool;
        try {
            pool = new PoolRecord(name, nodes.stream().map(NodeName::new).toList(), 1);
        } catch (IllegalArgumentException e) {
            throw new UsageFailure(String.valueOf(e.getMessage()));
        }
        try (Cluster cluster = session.connect()) {
            RecordAccess records = new RecordAccess(cluster);
            Set<NodeName> known = records.nodes().keySet();
            for (NodeName node : pool.nodes()) {
                if (!known.contains(node)) {
                    throw new CommandFailure(
                            "--node: node \"" + node + "\" is not in the cluster; there are: " + known);
                }
            }
            records.createPool(pool);
            session.output().show(PoolList.report(pool), () -> "pool \"" + name + "\" created");
        }
        return 0;
    }
}
