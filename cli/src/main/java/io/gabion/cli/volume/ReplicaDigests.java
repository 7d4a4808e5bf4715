package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.Deadlines;
import io.gabion.cli.text.ByteSize;
import io.gabion.cli.text.TextTable;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.ControlErrors;
import io.gabion.protocol.control.v1.GetVerifyRequest;
import io.gabion.protocol.control.v1.GetVerifyResponse;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Digests that replicas were asked for, fetched and compared. */
public final class ReplicaDigests {
    private static final String DONE = "done";
    private static final String FAILED = "failed";
    /** A replica reaches the point as soon as it has applied what is on its way. */
    private static final Duration REACH = Duration.ofSeconds(60);
    /** Slower reading than this is a fault of the disk. */
    private static final long SLOWEST_BYTES_PER_SECOND = 5L * 1024 * 1024;

    private ReplicaDigests() {}

    public record ReplicaResult(
            String node, String state, String sha256, long bytesRead, long bytesTotal, String lsn, String failure) {}

    public record Result(
            String id,
            String name,
            boolean identical,
            List<ReplicaResult> replicas,
            List<VerifyComparison.Difference> differences) {
        public Result {
            replicas = List.copyOf(replicas);
            differences = List.copyOf(differences);
        }
    }

    /**
     * Waits for what each node says.
     *
     * @param ids number of the verification at each node
     */
    public static Result gather(
            Cluster cluster, Map<NodeName, NodeRecord> nodes, VolumeRecord volume, Map<NodeName, Long> ids) {
        Map<NodeName, GetVerifyResponse> answers = new TreeMap<>();
        Duration limit = REACH.plusSeconds(volume.config().sizeBytes() / SLOWEST_BYTES_PER_SECOND);
        boolean all = Deadlines.await(limit, () -> {
            ids.forEach((node, id) -> {
                GetVerifyResponse known = answers.get(node);
                if (known == null || !isFinal(known)) {
                    answers.put(node, ask(cluster, nodes.get(node), volume, id));
                }
            });
            return answers.values().stream().allMatch(ReplicaDigests::isFinal);
        });
        if (!all) {
            answers.replaceAll((node, answer) ->
                    isFinal(answer) ? answer : failed(node + " did not finish within " + limit.toSeconds() + " s"));
        }
        return compare(volume, answers, ids.size());
    }

    private static boolean isFinal(GetVerifyResponse answer) {
        return answer.getState().equals(DONE) || answer.getState().equals(FAILED);
    }

    private static GetVerifyResponse ask(Cluster cluster, @Nullable NodeRecord node, VolumeRecord volume, long id) {
        if (node == null) {
            return failed("the node has no address");
        }
        try {
            return cluster.nodeRaw(
                    node,
                    Deadlines.CALL,
                    stub -> stub.getVerify(GetVerifyRequest.newBuilder()
                            .setVolume(volume.id().toString())
                            .setId(id)
                            .build()));
        } catch (StatusRuntimeException e) {
            return e.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED
                    ? GetVerifyResponse.getDefaultInstance()
                    : failed(ControlErrors.describe(Cluster.nodeName(node), e));
        }
    }

    private static GetVerifyResponse failed(String reason) {
        return GetVerifyResponse.newBuilder()
                .setState(FAILED)
                .setFailure(reason)
                .build();
    }

    private static Result compare(VolumeRecord volume, Map<NodeName, GetVerifyResponse> answers, int wanted) {
        List<VerifyComparison.Content> contents = new ArrayList<>();
        List<ReplicaResult> replicas = new ArrayList<>();
        answers.forEach((node, answer) -> {
            replicas.add(new ReplicaResult(
                    node.value(),
                    answer.getState(),
                    answer.getSha256(),
                    answer.getBytesRead(),
                    answer.getBytesTotal(),
                    answer.getLsn(),
                    answer.getFailure()));
            if (answer.getState().equals(DONE)) {
                contents.add(new VerifyComparison.Content(
                        node.value(),
                        answer.getSha256(),
                        answer.getLsn(),
                        answer.getRegionDigests().toByteArray()));
            }
        });
        boolean all = contents.size() == wanted && !contents.isEmpty();
        return new Result(
                volume.id().toString(),
                volume.spec().name(),
                all && VerifyComparison.identical(contents),
                replicas,
                VerifyComparison.differences(contents));
    }

    public static String text(Result result) {
        TextTable table = new TextTable("NODE", "STATE", "SHA-256", "READ", "LSN");
        StringBuilder notes = new StringBuilder();
        for (ReplicaResult replica : result.replicas()) {
            table.row(
                    replica.node(),
                    replica.state(),
                    replica.sha256().isEmpty() ? "-" : replica.sha256(),
                    ByteSize.format(replica.bytesRead()),
                    replica.lsn().isEmpty() ? "-" : replica.lsn());
            if (!replica.failure().isEmpty()) {
                notes.append(replica.node())
                        .append(": ")
                        .append(replica.failure())
                        .append('\n');
            }
        }
        if (result.identical()) {
            return table + "\nreplicas identical";
        }
        int shown = 0;
        for (VerifyComparison.Difference difference : result.differences()) {
            if (shown++ == VerifyComparison.MAX_SHOWN) {
                notes.append("... and ")
                        .append(result.differences().size() - VerifyComparison.MAX_SHOWN)
                        .append(" more regions\n");
                break;
            }
            notes.append("region ")
                    .append(difference.region())
                    .append(" (1 MiB from byte ")
                    .append(difference.offsetBytes())
                    .append(") differs: ")
                    .append(difference.groups())
                    .append('\n');
        }
        Optional<ReplicaResult> missing =
                result.replicas().stream().filter(r -> !r.state().equals(DONE)).findFirst();
        String verdict = !result.differences().isEmpty() || missing.isEmpty()
                ? "REPLICAS DIFFER"
                : "not every replica could be read; those that could are equal";
        return table + "\n" + notes + verdict;
    }
}
