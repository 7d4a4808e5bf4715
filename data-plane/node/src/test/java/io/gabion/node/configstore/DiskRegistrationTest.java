package io.gabion.node.configstore;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.model.ClusterId;
import io.gabion.model.DiskId;
import io.gabion.model.DiskRecord;
import io.gabion.model.NodeName;
import io.gabion.node.configstore.DiskRegistration.Verdict;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class DiskRegistrationTest {
    private final ClusterId cluster = new ClusterId(UUID.randomUUID());
    private final DiskId disk = new DiskId(UUID.randomUUID());
    private final DiskRecord opened = record("n1", cluster, 7);

    private DiskRecord record(String node, ClusterId of, long count) {
        return new DiskRecord(disk, of, new NodeName(node), "default", count, 3);
    }

    @Test
    void higherSuperblockIsGood() {
        assertThat(DiskRegistration.verdict(opened, record("n1", cluster, 6), false))
                .isInstanceOf(Verdict.Good.class);
    }

    @Test
    void diskMovedToAnotherNodeIsGoodWhileItsCountRises() {
        assertThat(DiskRegistration.verdict(opened, record("n2", cluster, 6), false))
                .isInstanceOf(Verdict.Good.class);
    }

    @Test
    void recordedCountThatIsHigherMeansRolledBack() {
        assertThat(DiskRegistration.verdict(opened, record("n1", cluster, 8), true))
                .isInstanceOfSatisfying(Verdict.Refused.class, refused -> assertThat(refused.reason())
                        .contains("rolled back or copied", "8 times", "7 times"));
    }

    @Test
    void equalCountOfAnotherOpeningMeansRolledBackByOne() {
        assertThat(DiskRegistration.verdict(opened, record("n1", cluster, 7), false))
                .isInstanceOf(Verdict.Refused.class);
    }

    @Test
    void equalCountAfterOwnSwapWithUnknownOutcomeIsOwnSuccess() {
        assertThat(DiskRegistration.verdict(opened, record("n1", cluster, 7), true))
                .isInstanceOf(Verdict.Good.class);
        assertThat(DiskRegistration.verdict(opened, record("n2", cluster, 7), true))
                .isInstanceOf(Verdict.Refused.class);
    }

    @Test
    void diskOfAnotherClusterIsRefused() {
        ClusterId foreign = new ClusterId(UUID.randomUUID());
        assertThat(DiskRegistration.verdict(opened, record("n1", foreign, 1), false))
                .isInstanceOfSatisfying(Verdict.Refused.class, refused -> assertThat(refused.reason())
                        .contains(foreign.toString()));
    }
}
