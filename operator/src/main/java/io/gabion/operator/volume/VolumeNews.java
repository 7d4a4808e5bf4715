package io.gabion.operator.volume;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.gabion.api.v1alpha1.ClaimReference;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.api.v1alpha1.VolumeStatus;
import io.gabion.operator.event.EventSink;
import io.gabion.operator.view.Conditions;
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
        for (News news : between(volume.getStatus(), next)) {
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
    }

    private static List<News> between(@Nullable VolumeStatus before, VolumeStatus after) {
        List<News> news = new ArrayList<>();
        if (turned(before, after, VolumeReport.PLACED, true)) {
            news.add(new News(
                    EventSink.Kind.NORMAL, "Provisioned", after.getCopies() + " copies on " + after.getReplicaNodes()));
        }
        boolean wasRedundant = before != null && Conditions.isTrue(before.getConditions(), VolumeReport.REDUNDANT);
        if (wasRedundant && turned(before, after, VolumeReport.REDUNDANT, false)) {
            news.add(new News(EventSink.Kind.WARNING, "ReplicaLost", message(after, VolumeReport.REDUNDANT)));
        }
        boolean hadLess = before != null
                && Conditions.find(before.getConditions(), VolumeReport.REDUNDANT)
                        .isPresent();
        if (hadLess
                && turned(before, after, VolumeReport.REDUNDANT, true)
                && before != null
                && before.getConfig() != null) {
            news.add(new News(EventSink.Kind.NORMAL, "RebuildFinished", message(after, VolumeReport.REDUNDANT)));
        }
        if (started(before, after, VolumeReport.RECONCILING, Reason.REBUILDING)) {
            news.add(new News(EventSink.Kind.NORMAL, "RebuildStarted", message(after, VolumeReport.RECONCILING)));
        }
        if (started(before, after, VolumeReport.PLACED, Reason.NO_PLACEMENT)) {
            news.add(new News(EventSink.Kind.WARNING, Reason.NO_PLACEMENT.word(), message(after, VolumeReport.PLACED)));
        }
        Optional<Condition> stalled = Conditions.find(after.getConditions(), VolumeReport.STALLED);
        if (stalled.isPresent()
                && Conditions.TRUE.equals(stalled.get().getStatus())
                && !Reason.NO_PLACEMENT.word().equals(stalled.get().getReason())
                && !Objects.equals(
                        reason(before, VolumeReport.STALLED), stalled.get().getReason())) {
            news.add(new News(
                    EventSink.Kind.WARNING,
                    stalled.get().getReason(),
                    stalled.get().getMessage()));
        }
        if (before != null
                && before.getPrimaryNode() != null
                && after.getPrimaryNode() != null
                && !before.getPrimaryNode().equals(after.getPrimaryNode())) {
            news.add(new News(
                    EventSink.Kind.NORMAL,
                    "FailedOver",
                    "from " + before.getPrimaryNode() + " to " + after.getPrimaryNode()));
        }
        if (turned(before, after, VolumeReport.ATTACHED, true)) {
            news.add(new News(EventSink.Kind.NORMAL, "AttachedTo", String.valueOf(after.getAttachedTo())));
        }
        if (Reason.GROWING.word().equals(reason(before, VolumeReport.RECONCILING))
                && !Reason.GROWING.word().equals(reason(after, VolumeReport.RECONCILING))) {
            news.add(new News(EventSink.Kind.NORMAL, "Expanded", "every copy in sync has the new size"));
        }
        return news;
    }

    private static boolean turned(@Nullable VolumeStatus before, VolumeStatus after, String type, boolean to) {
        boolean was = before != null && Conditions.isTrue(before.getConditions(), type);
        boolean is = Conditions.isTrue(after.getConditions(), type);
        return was != to && is == to;
    }

    private static boolean started(@Nullable VolumeStatus before, VolumeStatus after, String type, Reason reason) {
        return reason.word().equals(reason(after, type)) && !reason.word().equals(reason(before, type));
    }

    private static @Nullable String reason(@Nullable VolumeStatus status, String type) {
        return status == null
                ? null
                : Conditions.find(status.getConditions(), type)
                        .map(Condition::getReason)
                        .orElse(null);
    }

    private static String message(VolumeStatus status, String type) {
        return Conditions.find(status.getConditions(), type)
                .map(Condition::getMessage)
                .orElse("");
    }
}
