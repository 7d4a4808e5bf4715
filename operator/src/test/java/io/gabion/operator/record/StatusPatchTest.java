package io.gabion.operator.record;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.api.v1alpha1.StoragePoolStatus;
import java.util.List;
import org.junit.jupiter.api.Test;

class StatusPatchTest {
    private final StoragePoolStatus status = new StoragePoolStatus();

    @Test
    void whatStandsAlreadyIsNotWrittenAgain() {
        status.setDisks("3/3");
        status.setUsedBytes(7L);
        assertThat(new StatusPatch().set("disks", "3/3").set("usedBytes", 7).isMetBy(status))
                .isTrue();
        assertThat(new StatusPatch().set("disks", "2/3").isMetBy(status)).isFalse();
        assertThat(new StatusPatch().set("usedBytes", 8L).isMetBy(status)).isFalse();
    }

    @Test
    void nothingIsWrittenToTakeAwayWhatIsNotThere() {
        assertThat(new StatusPatch()
                        .set("disks", "")
                        .set("usedBytes", null)
                        .set("conditions", List.of())
                        .isMetBy(status))
                .isTrue();
        status.setDisks("3/3");
        assertThat(new StatusPatch().set("disks", "").isMetBy(status)).isFalse();
    }

    @Test
    void anObjectWithoutStatusIsWritten() {
        assertThat(new StatusPatch().set("disks", "3/3").isMetBy(null)).isFalse();
    }
}
