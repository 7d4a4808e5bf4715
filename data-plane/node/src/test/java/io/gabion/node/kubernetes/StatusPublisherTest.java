package io.gabion.node.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import io.gabion.api.v1alpha1.StorageNodeStatus;
import java.util.List;
import org.junit.jupiter.api.Test;

class StatusPublisherTest {
    private static final ObjectNode OURS = JsonMapper.builder()
            .build()
            .createObjectNode()
            .put("disksOnline", "1/1")
            .put("replicas", 3)
            .put("primaries", 0);

    private static StorageNodeStatus seen(String ready, String disksOnline, int replicas) {
        StorageNodeStatus status = new StorageNodeStatus();
        status.setConditions(List.of(
                new ConditionBuilder().withType("Ready").withStatus(ready).build()));
        status.setDisksOnline(disksOnline);
        status.setReplicas(replicas);
        status.setPrimaries(0);
        return status;
    }

    @Test
    void figuresOfTheTimeWhenTheNodeWasLostAreReplacedOnceItIsReady() {
        assertThat(StatusPublisher.isOverwritten(seen("True", "0/1", 3), OURS)).isTrue();
        assertThat(StatusPublisher.isOverwritten(seen("True", "1/1", 2), OURS)).isTrue();
        assertThat(StatusPublisher.isOverwritten(seen("True", "1/1", 3), OURS)).isFalse();
    }

    @Test
    void whileItCountsAsLostTheOperatorsFiguresStay() {
        assertThat(StatusPublisher.isOverwritten(seen("False", "0/1", 3), OURS)).isFalse();
        assertThat(StatusPublisher.isOverwritten(new StorageNodeStatus(), OURS)).isFalse();
    }
}
