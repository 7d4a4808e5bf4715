package io.gabion.cli.volume;

import io.gabion.cli.cluster.Cluster;
import io.gabion.cli.cluster.NodeSurvey;
import io.gabion.cli.cluster.RecordAccess;
import io.gabion.cli.cluster.Session;
import io.gabion.cli.text.CommandFailure;
import io.gabion.cli.text.TextTable;
import io.gabion.model.Lsn;
import io.gabion.model.NodeName;
import io.gabion.model.ReplicaPlacement;
import io.gabion.model.VolumeRecord;
import io.gabion.protocol.control.SnapshotCodec;
import io.gabion.protocol.control.v1.ReplicaStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "recover",
        description = "Says what is left of a volume that does not serve any more, and what can be done."
                + " Changes nothing without --accept-data-loss.",
        sortOptions = false)
final class VolumeRecover implements Callable<Integer> {
    private static final int NOT_DONE = 1;

    private final Session session;

    @Parameters(paramLabel = "NAME", description = "Name or id of the volume.")
    private String name = "";

    @Option(
            names = "--accept-data-loss",
            description = "Make an older copy the volume: what was acknowledged after it is gone for good.")
    private boolean accepted;

    VolumeRecover(Session session) {
        this.session = session;
    }

    /** @param plan nothing, waits, promote or hopeless */
    record Report(String volume, String plan, String explanation, boolean done, List<Left> left) {}

    /** What is left on one node. */
    record Left(
            String node,
            String replica,
            boolean inSync,
            boolean answers,
            String role,
            String phase,
            long incarnation,
            String lastLsn,
            String committedLsn,
            String failure) {}

    @Override
    public Integer call() {
        try (Cluster cluster = session.connect()) {
            RecordAccess records = new RecordAccess(cluster);
            VolumeRecord volume = records.volume(name);
            var answers = NodeSurvey.ask(cluster, records.nodes().values(), Optional.of(volume.id()));
            // What the nodes said may be newer than the first reading of the record.
            VolumeRecord now = records.find(volume.id()).orElse(volume);
            List<RecoverPlan.Survivor> survivors = survivors(now, answers);
            RecoverPlan plan = RecoverPlan.of(now, survivors);
            boolean done = false;
            if (accepted && plan instanceof RecoverPlan.Promote promote) {
                promote(cluster, records, now, promote);
                done = true;
            }
            Report report = new Report(
                    now.spec().name(), word(plan), explain(now, plan, done), done, left(now, survivors, answers));
            session.output().show(report, () -> text(report));
            return done || plan instanceof RecoverPlan.Nothing ? 0 : NOT_DONE;
        }
    }

    private static void promote(
            Cluster cluster, RecordAccess records, VolumeRecord planned, RecoverPlan.Promote promote) {
        records.change(planned, (current, writer) -> {
            if (current.config().epoch() != planned.config().epoch()) {
                throw new CommandFailure("the volume changed meanwhile: a copy has come back; look again");
            }
            return RecoverPlan.promoted(current, promote.survivor(), writer);
        });
        ServingWait.untilPrimaryServes(cluster, records, planned.id());
    }

    static List<RecoverPlan.Survivor> survivors(VolumeRecord record, Map<NodeName, NodeSurvey.Answer> answers) {
        List<RecoverPlan.Survivor> survivors = new ArrayList<>();
        for (ReplicaPlacement placement : record.placement()) {
            NodeSurvey.Answer answer = answers.get(placement.node());
            ReplicaStatus status = answer == null
                    ? ReplicaStatus.getDefaultInstance()
                    : answer.replicas().stream()
                            .filter(r ->
                                    r.getReplica().equals(placement.replica().toString()))
                            .findFirst()
                            .orElse(ReplicaStatus.getDefaultInstance());
            survivors.add(new RecoverPlan.Survivor(
                    placement,
                    answer != null && answer.status().isPresent(),
                    status.getRole(),
                    status.getPhase(),
                    status.getIncarnation(),
                    status.getPromisedEpoch(),
                    lsn(status.getLastLsn()),
                    lsn(status.getCommittedLsn())));
        }
        return survivors;
    }

    private static Lsn lsn(String text) {
        return text.isEmpty() ? Lsn.ZERO : SnapshotCodec.lsn(text);
    }

    private static List<Left> left(
            VolumeRecord record, List<RecoverPlan.Survivor> survivors, Map<NodeName, NodeSurvey.Answer> answers) {
        return survivors.stream()
                .map(s -> new Left(
                        s.placement().node().value(),
                        s.placement().replica().toString(),
                        record.config().member(s.placement().replica()).isPresent(),
                        s.answers(),
                        s.role(),
                        s.phase(),
                        s.incarnation(),
                        s.lastLsn().toString(),
                        s.committed().toString(),
                        Optional.ofNullable(answers.get(s.placement().node()))
                                .map(NodeSurvey.Answer::failure)
                                .orElse("never registered an address")))
                .toList();
    }

    private static String word(RecoverPlan plan) {
        return switch (plan) {
            case RecoverPlan.Nothing _ -> "nothing";
            case RecoverPlan.Waits _ -> "waits";
            case RecoverPlan.Promote _ -> "promote";
            case RecoverPlan.Hopeless _ -> "hopeless";
        };
    }

    private static String explain(VolumeRecord record, RecoverPlan plan, boolean done) {
        String volume = record.spec().name();
        return switch (plan) {
            case RecoverPlan.Nothing(String reason) -> "nothing to recover: " + reason;
            case RecoverPlan.Waits(String reason) ->
                reason + ". Writes go on once " + record.spec().minInSync()
                        + " copies are in sync: bring nodes back, or"
                        + " replace lost copies with: gabion volume scale " + volume;
            case RecoverPlan.Promote(var survivor, var others) ->
                (done ? "made the volume of " : "can make the volume of ")
                        + "the copy on " + survivor.placement().node() + ", which holds its history up to "
                        + survivor.lastLsn() + "; what was acknowledged after that, by the copies on " + others
                        + (done
                                ? ", is given up. Whoever had the volume attached is shut out: detach it, attach it anew,"
                                        + " and check its file system"
                                : ", would be given up for good. First try everything to bring one of these nodes back;"
                                        + " then: gabion volume recover " + volume + " --accept-data-loss");
            case RecoverPlan.Hopeless(String reason) ->
                "cannot be recovered from here: " + reason
                        + ". Bring a node back, or read what its disk holds with: gabion store export";
        };
    }

    private static String text(Report report) {
        TextTable table = new TextTable("NODE", "IN SYNC", "ROLE", "PHASE", "LAST", "COMMITTED", "REPLICA");
        StringBuilder notes = new StringBuilder();
        for (Left left : report.left()) {
            table.row(
                    left.node(),
                    left.inSync() ? "yes" : "no",
                    !left.answers() ? "no answer" : left.role().isEmpty() ? "-" : left.role(),
                    left.phase().isEmpty() ? "-" : left.phase(),
                    left.role().isEmpty() ? "-" : left.lastLsn(),
                    left.role().isEmpty() ? "-" : left.committedLsn(),
                    left.replica());
            if (!left.failure().isEmpty()) {
                notes.append(left.node()).append(": ").append(left.failure()).append('\n');
            }
        }
        return table + "\n" + notes + report.volume() + ": " + report.explanation();
    }
}
