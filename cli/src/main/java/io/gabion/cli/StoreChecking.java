package io.gabion.cli;

import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.ByteSize;
import io.gabion.store.StoreCheck;
import io.gabion.store.StoreCheckReport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "check", description = "Reads a stopped node's directory and says whether everything in it is sound.")
final class StoreChecking implements Callable<Integer> {
    private final Session session;

    @Parameters(paramLabel = "DIR", description = "The node's --data directory.")
    private Path directory = Path.of("");

    StoreChecking(Session session) {
        this.session = session;
    }

    private record Checked(
            String disk,
            boolean sound,
            boolean clean,
            int replicas,
            long replayedBatches,
            long checkedBlocks,
            List<String> findings) {}

    @Override
    public Integer call() throws IOException {
        StoreCheckReport report = StoreCheck.run(DiskDirectory.of(directory));
        Checked checked = new Checked(
                report.disk().toString(),
                report.isSound(),
                report.clean(),
                report.replicas(),
                report.replayedBatches(),
                report.checkedBlocks(),
                report.findings());
        session.output().show(checked, () -> text(report));
        return report.isSound() ? 0 : 1;
    }

    private static String text(StoreCheckReport report) {
        StringBuilder text = new StringBuilder();
        report.findings().forEach(finding -> text.append(finding).append('\n'));
        if (report.findings().size() == StoreCheckReport.MAX_FINDINGS) {
            text.append("... and perhaps more\n");
        }
        return text.append("disk ")
                .append(report.disk())
                .append(report.isSound() ? " is sound: " : " IS DAMAGED: ")
                .append(report.replicas())
                .append(" replicas, ")
                .append(report.checkedBlocks())
                .append(" blocks read and compared, ")
                .append(ByteSize.format(report.space().used()))
                .append(" used, ")
                .append(report.clean() ? "closed in good order" : "not closed in good order (the log was replayed)")
                .toString();
    }
}
