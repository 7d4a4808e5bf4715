package io.gabion.operator.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.api.v1alpha1.DiskReport;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.operator.fake.Objects;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class RebuildRoomTest {
    private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");

    private static StorageNode node(String name, long usedGib) {
        StorageNode node = Objects.storageNode(name, NOW);
        DiskReport disk = node.getStatus().getDisks().getFirst();
        disk.setUsedBytes(usedGib * Objects.GIB);
        disk.setFreeBytes((100 - usedGib) * Objects.GIB);
        return node;
    }

    private static StorageNode lost(StorageNode node) {
        Objects.setReady(node.getStatus(), false, NOW);
        return node;
    }

    @Test
    void whileTheOthersHaveRoomForTheLargestNothingIsSaid() {
        assertThat(RebuildRoom.shortage(Objects.POOL, List.of(node("a", 60), node("b", 60), node("c", 60))))
                .isEmpty();
    }

    @Test
    void aNodeWithMoreThanTheOthersHaveFreeIsNamed() {
        assertThat(RebuildRoom.shortage(Objects.POOL, List.of(node("a", 70), node("b", 75), node("c", 70))))
                .hasValue("b holds 75Gi, the other nodes of the pool have 60Gi free:"
                        + " its copies could not be made again there");
    }

    @Test
    void aLostNodeHasNoRoomButItsCopiesCount() {
        assertThat(RebuildRoom.shortage(Objects.POOL, List.of(lost(node("a", 50)), node("b", 55), node("c", 55))))
                .isPresent();
        assertThat(RebuildRoom.shortage(Objects.POOL, List.of(lost(node("a", 20)), node("b", 40), node("c", 40))))
                .isEmpty();
    }

    @Test
    void aSingleNodeHasNoOthers() {
        assertThat(RebuildRoom.shortage(Objects.POOL, List.of(node("a", 90)))).isEmpty();
        assertThat(RebuildRoom.shortage("another", List.of(node("a", 90), node("b", 90))))
                .isEmpty();
    }
}
