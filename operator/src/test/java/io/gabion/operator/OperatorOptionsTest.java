package io.gabion.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.operator.failpoint.FailPoint;
import io.gabion.process.UsageException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OperatorOptionsTest {
    @Test
    void theEnvironmentOfAPodIsEnough() throws Exception {
        OperatorOptions options = OperatorOptions.parse(
                List.of(), Map.of("POD_NAME", "gabion-operator-x", "POD_NAMESPACE", "gabion-system"));
        assertThat(options.identity()).isEqualTo("gabion-operator-x");
        assertThat(options.namespace()).isEqualTo("gabion-system");
        assertThat(options.httpPort()).isEqualTo(7432);
        assertThat(options.leaderElection()).isTrue();
        assertThat(options.failPoint()).isSameAs(FailPoint.NONE);
    }

    @Test
    void anOptionGoesBeforeItsVariable() throws Exception {
        OperatorOptions options = OperatorOptions.parse(
                List.of("--http-port=0", "--state-directory", "/s", "--leader-election", "false"),
                Map.of("GABION_HTTP_PORT", "1"));
        assertThat(options.httpPort()).isZero();
        assertThat(options.stateDirectory()).isEqualTo(Path.of("/s"));
        assertThat(options.leaderElection()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "--what,                        'unknown option \"--what\"; did you mean'",
        "--http-port,                   --http-port needs a value",
        "--http-port=70000,             '--http-port \"70000\": must be 0 to 65535'",
        "--http-port=x,                 '--http-port \"x\": must be a number from 0 to 65535'",
        "--leader-election=yes,         '--leader-election \"yes\": must be true or false'",
    })
    void aMistakeIsNamedWithItsRemedy(String argument, String message) {
        assertThatThrownBy(() -> OperatorOptions.parse(List.of(argument), Map.of()))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aFailPointThatDoesNotExistIsAMistake() {
        assertThatThrownBy(() -> OperatorOptions.parse(List.of(), Map.of(FailPoint.VARIABLE, "no-step:after")))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining(FailPoint.VARIABLE);
    }
}
