package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.Deadlines;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.ByteSize;
import io.gabion.cli.text.CommandFailure;
import io.gabion.cli.text.UsageFailure;
import io.gabion.model.VolumeRecord;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "resize", description = "Makes a volume larger, while it serves.")
final class VolumeResize implements Callable<Integer> {
    private final Session session;

    @Parameters(paramLabel = "NAME", description = "Name or id of the volume.")
    private String name = "";

    @Option(names = "--size", required = true, paramLabel = "SIZE", description = "The new size, such as 2GiB.")
    private ByteSize size = new ByteSize(0);

    VolumeResize(Session session) {
        this.session = session;
    }

    @Override
    public Integer call() {
        long bytes = size.ofVolume("--size");
        try (Cluster cluster = session.connect()) {
            RecordAccess records = new RecordAccess(cluster);
            VolumeRecord asked = records.change(records.volume(name), (current, writer) -> {
                if (bytes < current.spec().sizeBytes()) {
                    throw new UsageFailure("--size: a volume never shrinks; \""
                            + current.spec().name() + "\" has " + current.spec().sizeBytes() + " bytes");
                }
                return bytes == current.spec().sizeBytes()
                        ? current
                        : current.withSpec(current.spec().withSizeBytes(bytes), writer);
            });
            boolean grown = Deadlines.await(Deadlines.CHANGE, () -> records.find(asked.id())
                    .map(now -> now.config().sizeBytes() >= bytes)
                    .orElse(false));
            if (!grown) {
                throw new CommandFailure("the volume is asked to grow but its primary has not done it after "
                        + Deadlines.CHANGE.toSeconds() + " s; see: gabion volume describe " + name);
            }
            session.output()
                    .show(
                            VolumeList.summary(records.find(asked.id()).orElse(asked)),
                            () -> "volume \"" + name + "\" has " + ByteSize.format(bytes));
        }
        return 0;
    }
}
