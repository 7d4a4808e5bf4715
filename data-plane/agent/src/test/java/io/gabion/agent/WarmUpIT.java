package io.gabion.agent;

import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the build of the agent's image runs. */
@Timeout(120)
class WarmUpIT {
    @Test
    void agentRunsForAMomentWithoutAClusterAndEndsInGoodOrder() {
        assertThatCode(WarmUp::run).doesNotThrowAnyException();
    }
}
