package io.gabion.node.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.model.Lsn;
import io.gabion.model.VolumeId;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class VerifyResultsTest {
    private final VerifyResults results = new VerifyResults();
    private final VolumeId volume = new VolumeId(UUID.randomUUID());

    @Test
    void oldestResultsAreForgottenFirst() {
        for (int id = 0; id <= VerifyResults.MAX_RESULTS; id++) {
            results.put(volume, id, new VerifyOutcome.Reading(new Lsn(1, id)));
        }
        assertThat(results.find(volume, 0)).isEmpty();
        assertThat(results.find(volume, 1)).isPresent();
    }

    @Test
    void laterOutcomeReplacesTheEarlier() {
        results.put(volume, 1, new VerifyOutcome.Reading(Lsn.ZERO));
        results.put(volume, 1, new VerifyOutcome.Failed(Lsn.ZERO, "disk"));
        assertThat(results.find(volume, 1)).contains(new VerifyOutcome.Failed(Lsn.ZERO, "disk"));
    }
}
