package io.gabion.operator.volume;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.gabion.api.condition.ConditionStatus;
import io.gabion.api.condition.ConditionType;
import io.gabion.api.health.HealthCode;
import io.gabion.api.v1alpha1.ClaimReference;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.api.v1alpha1.VolumeStatus;
import io.gabion.operator.event.EventSink;
import io.gabion.operator.view.Finding;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Turns changes of a Volume's status into Events on the Volume and on its claim. */
final class VolumeNews {
    private VolumeNews() {}

    private record News(EventSink.Kind kind, String reason, String message) {}

    static ObjectReference reference(Volume volume) {
        return new ObjectReferenceBuilder()
                .withApiVersion(volume.getApiVersion())
                .withKind(volume.getKind())
                .withName(volume.getMetadata().getName())
                .withUid(volume.getMetadata().getUid())
                .build();
    }

    static void tell(Volume volume, VolumeStatus next, EventSink events) {
        between(volume.getStatus(), next).forEach(news -> tell(volume, news, events));
    }

    /** A copy has come so far. */
    static void tellProgress(Volume volume, int percent, EventSink events) {
        tell(
                volume,
                new News(
                        EventSink.Kind.NORMAL,
                        HealthCode.RebuildProgress.name(),
                        percent + " % of a copy are compared"),
                events);
    }

    static void tellExpanded(Volume volume, EventSink events) {
        tell(volume, new News(EventSink.Kind.NORMAL, "Expanded", "every copy in sync has the new size"), events);
    }

    private static void tell(Volume volume, News news, EventSink events) {
        events.tell(reference(volume), news.kind(), news.reason(), news.message());
        ClaimReference claim = volume.getSpec().getClaimRef();
        if (claim != null) {
            events.tell(
                    new ObjectReferenceBuilder()
                            .withApiVersion("v1")
                            .withKind("PersistentVolumeClaim")
                            .withNamespace(claim.getNamespace())
                            .withName(claim.getName())
                            .withUid(claim.getUid())
                            .build(),
                    news.kind(),
                    news.reason(),
                    "volume " + volume.getMetadata().getName() + ": " + news.message());
        }
    }

    private static List<News> between(VolumeStatus before, VolumeStatus after) {
        List<News> news = new ArrayList<>();
        if (turned(before, after, ConditionType.PLACED, true)) {
            news.add(new News(
                    EventSink.Kind.NORMAL, "Provisioned", after.getCopies() + " copies on " + after.getReplicaNodes()));
        }
        // Not whenever there are fewer copies than wanted: more may be wanted now, or none.
        if (started(before, after, ConditionType.REDUNDANT, HealthCode.ReplicaLost)) {
            news.add(new News(
                    EventSink.Kind.WARNING, HealthCode.ReplicaLost.name(), message(after, ConditionType.REDUNDANT)));
        }
        boolean hadLess =
                Finding.find(before.getConditions(), ConditionType.REDUNDANT).isPresent();
        if (hadLess
                && turned(before, after, ConditionType.REDUNDANT, true)
                && before != null
                && before.getConfig() != null) {
            news.add(new News(EventSink.Kind.NORMAL, "RebuildFinished", message(after, ConditionType.REDUNDANT)));
        }
        if (started(before, after, ConditionType.RECONCILING, HealthCode.ReplicaRebuilding)) {
            news.add(new News(EventSink.Kind.NORMAL, "RebuildStarted", message(after, ConditionType.RECONCILING)));
        }
        if (started(before, after, ConditionType.PLACED, HealthCode.NoPlacement)) {
            news.add(new News(
                    EventSink.Kind.WARNING, HealthCode.NoPlacement.name(), message(after, ConditionType.PLACED)));
        }
        Optional<Condition> stalled = Finding.find(after.getConditions(), ConditionType.STALLED);
        if (stalled.isPresent()
                && ConditionStatus.TRUE.text().equals(stalled.get().getStatus())
                && !HealthCode.NoPlacement.name().equals(stalled.get().getReason())
                && !Objects.equals(
                        reason(before, ConditionType.STALLED), stalled.get().getReason())) {
            news.add(new News(
                    EventSink.Kind.WARNING,
                    stalled.get().getReason(),
                    stalled.get().getMessage()));
        }
        if (before.getPrimaryNode() != null
                && after.getPrimaryNode() != null
                && !before.getPrimaryNode().equals(after.getPrimaryNode())) {
            news.add(new News(
                    EventSink.Kind.NORMAL,
                    "FailedOver",
                    "from " + before.getPrimaryNode() + " to " + after.getPrimaryNode()));
        }
        if (turned(before, after, ConditionType.ATTACHED, true)) {
            news.add(new News(EventSink.Kind.NORMAL, "AttachedTo", String.valueOf(after.getAttachedTo())));
        }
        return news;
    }

    private static boolean turned(VolumeStatus before, VolumeStatus after, ConditionType type, boolean to) {
        boolean was = Finding.isTrue(before.getConditions(), type);
        boolean is = Finding.isTrue(after.getConditions(), type);
        return was != to && is == to;
    }

    private static boolean started(VolumeStatus before, VolumeStatus after, ConditionType type, HealthCode reason) {
        return reason.name().equals(reason(after, type)) && !reason.name().equals(reason(before, type));
    }

    private static @Nullable String reason(VolumeStatus status, ConditionType type) {
        return Finding.find(status.getConditions(), type)
                .map(Condition::getReason)
                .orElse(null);
    }

    private static String message(VolumeStatus status, ConditionType type) {
        return Finding.find(status.getConditions(), type)
                .map(Condition::getMessage)
                .orElse("");
    }
}
