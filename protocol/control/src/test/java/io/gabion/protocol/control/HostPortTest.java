package io.gabion.protocol.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostPortTest {
    @Test
    void namesAndBothKindsOfAddressesAreRead() {
        assertThat(HostPort.parse("127.0.0.1:7400")).isEqualTo(new HostPort("127.0.0.1", 7400));
        assertThat(HostPort.parse("[::1]:0")).isEqualTo(new HostPort("::1", 0));
        assertThat(HostPort.parse("[::1]:0")).hasToString("[::1]:0");
    }

    @Test
    void aHostThatNobodyKnowsIsNamed() {
        assertThat(HostPort.resolve("127.0.0.1:7400").getPort()).isEqualTo(7400);
        assertThatThrownBy(() -> HostPort.resolve("nobody.invalid:1"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("nobody.invalid");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ":", "host", "host:", ":1", "::1", "host:x", "host:65536", "host:-1"})
    void everythingElseIsRefused(String text) {
        assertThatThrownBy(() -> HostPort.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }
}
