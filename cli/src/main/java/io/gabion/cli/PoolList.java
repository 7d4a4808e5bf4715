package io.gabion.cli;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.TextTable;
import io.gabion.model.NodeName;
import io.gabion.protocol.control.PoolRecord;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

@Command(name = "list", description = "Lists the pools.")
final class PoolList implements Callable<Integer> {
    private final Session session;

    PoolList(Session session) {
        this.session = session;
    }

    /** @param nodes empty for every node */
    record Report(String name, List<String> nodes) {}

    static Report report(PoolRecord pool) {
        return new Report(
                pool.name(), pool.nodes().stream().map(NodeName::value).toList());
    }

    @Override
    public Integer call() {
        try (Cluster cluster = session.connect()) {
            List<Report> pools = new RecordAccess(cluster)
                    .pools().stream().map(PoolList::report).toList();
            session.output().show(pools, () -> {
                TextTable table = new TextTable("NAME", "NODES");
                pools.forEach(p -> table.row(p.name(), p.nodes().isEmpty() ? "all" : String.join(", ", p.nodes())));
                return table.toString();
            });
        }
        return 0;
    }
}
