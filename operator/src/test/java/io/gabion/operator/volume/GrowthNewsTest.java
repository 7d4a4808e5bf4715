package io.gabion.operator.volume;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.api.condition.ConditionType;
import io.gabion.api.health.HealthCode;
import io.gabion.api.v1alpha1.VolumeStatus;
import io.gabion.operator.view.Finding;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class GrowthNewsTest {
    private static final String UID = "u1";
    private static final VolumeStatus SILENT = new VolumeStatus();

    private final GrowthNews news = new GrowthNews();

    @Test
    void aVolumeThatIsSeenForTheFirstTimeIsNoNews() {
        assertThat(news.hasGrown(UID, SILENT, 1, false)).isFalse();
        assertThat(news.hasGrown(UID, SILENT, 1, false)).isFalse();
    }

    @Test
    void growthThatNobodyReportedIsToldOnce() {
        news.hasGrown(UID, SILENT, 1, false);
        assertThat(news.hasGrown(UID, SILENT, 2, false)).isTrue();
        assertThat(news.hasGrown(UID, SILENT, 2, false)).isFalse();
    }

    @Test
    void growthThatWasReportedIsToldOnceToo() {
        news.hasGrown(UID, SILENT, 1, true);
        assertThat(news.hasGrown(UID, growing(), 2, false)).isTrue();
        // The report of the end is not in the cache yet.
        assertThat(news.hasGrown(UID, growing(), 2, false)).isFalse();
    }

    @Test
    void theGrowthThatAnotherProcessReportedIsToldByTheOneThatSeesItsEnd() {
        assertThat(news.hasGrown(UID, growing(), 2, false)).isTrue();
        GrowthNews later = new GrowthNews();
        assertThat(later.hasGrown(UID, growing(), 1, true)).isFalse();
        assertThat(later.hasGrown(UID, growing(), 2, false)).isTrue();
    }

    private static VolumeStatus growing() {
        VolumeStatus status = new VolumeStatus();
        Finding growing = Finding.of(
                ConditionType.RECONCILING, true, HealthCode.Progressing, VolumeReport.GROWING + "from 1 to 2 bytes");
        status.setConditions(
                Finding.apply(List.of(ConditionType.RECONCILING), List.of(), List.of(growing), 1, Instant.EPOCH));
        return status;
    }
}
