package io.gabion.operator.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VersionSkewTest {
    @ParameterizedTest
    @CsvSource({
        "0.1.0-SNAPSHOT, 0.1.0-SNAPSHOT",
        "1.3.0, 1.2.9",
        "1.3.0, 1.3.5",
        "1.3.0, dev",
        "unknown, 1.0.0",
        "1.3, 1.2"
    })
    void neighboursRunTogether(String operator, String node) {
        assertThat(VersionSkew.between(operator, node)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"1.3.0, 1.4.0", "1.3.0, 2.0.0"})
    void aNodeThatIsNewerThanTheOperatorIsTold(String operator, String node) {
        assertThat(VersionSkew.between(operator, node))
                .hasValue("the storage node runs " + node + ", newer than the operator's " + operator
                        + "; upgrade the chart to that version");
    }

    @ParameterizedTest
    @CsvSource({"1.3.0, 1.1.0", "2.0.0, 1.9.0"})
    void aNodeThatIsTooOldIsTold(String operator, String node) {
        assertThat(VersionSkew.between(operator, node))
                .hasValue("the storage node runs " + node + ", too old for the operator's " + operator
                        + "; upgrades go one minor version at a time");
    }
}
