package io.gabion.operator.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.Node;
import io.gabion.api.v1alpha1.NodeDisk;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.operator.fake.Objects;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DiskResolutionTest {
    private final StoragePool pool = Objects.pool();
    private final Node machine = Objects.machine("n");

    private List<String> disks(List<NodeDisk> standing, Set<String> inUse) {
        return DiskResolution.disks(List.of(pool), machine, standing, inUse).stream()
                .map(d -> d.getPool() + " " + d.getDirectory() + " " + d.getCapacity())
                .toList();
    }

    private static NodeDisk disk(String pool) {
        NodeDisk disk = new NodeDisk();
        disk.setPool(pool);
        disk.setDirectory("/old");
        return disk;
    }

    private void select(LabelSelector selector) {
        pool.getSpec().setNodeSelector(selector);
    }

    @Test
    void aPoolWithoutSelectorTakesItsFirstDirectoryOfEveryMachine() {
        pool.getSpec().setDirectories(List.of("/a", "/b"));
        assertThat(disks(List.of(), Set.of())).containsExactly("fast /a 100Gi");
    }

    @ParameterizedTest
    @CsvSource({
        "In,           ssd, true",
        "In,           hdd, false",
        "NotIn,        hdd, true",
        "NotIn,        ssd, false",
        "Exists,       '',  true",
        "DoesNotExist, '',  false",
    })
    void expressionsSelectAsKubernetesDefinesThem(String operator, String value, boolean selected) {
        machine.getMetadata().setLabels(Map.of("disk", "ssd"));
        select(new LabelSelectorBuilder()
                .addNewMatchExpression()
                .withKey("disk")
                .withOperator(operator)
                .withValues(value.isEmpty() ? List.of() : List.of(value))
                .endMatchExpression()
                .build());
        assertThat(DiskResolution.selects(pool, machine)).isEqualTo(selected);
    }

    @Test
    void aDiskWithDataStaysAlthoughThePoolSelectsTheMachineNoLonger() {
        select(new LabelSelectorBuilder().addToMatchLabels("disk", "ssd").build());
        assertThat(disks(List.of(disk("fast")), Set.of())).isEmpty();
        assertThat(disks(List.of(disk("fast")), Set.of("fast"))).containsExactly("fast /old null");
    }

    @Test
    void aPoolThatIsDeletedGivesNoNewDisks() {
        pool.getMetadata().setDeletionTimestamp(Instant.EPOCH.toString());
        assertThat(disks(List.of(), Set.of())).isEmpty();
        assertThat(disks(List.of(disk("fast")), Set.of("fast"))).containsExactly("fast /old null");
    }

    @Test
    void withoutItsMachineANodeKeepsWhatItWasTold() {
        assertThat(DiskResolution.disks(List.of(pool), null, List.of(disk("fast")), Set.of()))
                .extracting(NodeDisk::getDirectory)
                .containsExactly("/old");
    }
}
