package io.gabion.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.process.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class NodeOptionsTest {
    private static final List<String> COMPLETE = List.of(
            "--name",
            "n1",
            "--data",
            "target/n1",
            "--cluster",
            "7d1f6f0e-8d5e-4f0b-9a51-0a6b9d1c2e3f",
            "--certificate=c.pem",
            "--key",
            "k.pem",
            "--ca",
            "ca.pem",
            "--data-listen",
            "127.0.0.1:7001",
            "--control-listen",
            "127.0.0.1:7002",
            "--metrics-listen",
            "127.0.0.1:7003",
            "--configuration-store",
            "127.0.0.1:7000");

    private static NodeOptions parse(String... more) throws UsageException {
        List<String> all = new ArrayList<>(COMPLETE);
        all.addAll(List.of(more));
        return NodeOptions.parse(all);
    }

    @Test
    void completeLineIsUnderstood() throws Exception {
        NodeOptions options = parse("--capacity", "8GiB", "--loops", "2");
        assertThat(options.name().value()).isEqualTo("n1");
        assertThat(options.capacityBytes()).isEqualTo(OptionalLong.of(8L << 30));
        assertThat(options.dataListen().getPort()).isEqualTo(7001);
        assertThat(options.loops()).isEqualTo(2);
        assertThat(options.pool()).isEqualTo("default");
        assertThat(options.diskBackend()).isEqualTo("auto");
        assertThat(options.bootId()).isNotNull();
    }

    @Test
    void unknownOptionNamesTheNearest() {
        assertThatThrownBy(() -> parse("--contrl-listen", "127.0.0.1:1"))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("did you mean --control-listen?");
    }

    @Test
    void wrongBackEndNamesTheNearest() {
        assertThatThrownBy(() -> parse("--network-backend", "iouring")).hasMessageContaining("did you mean io_uring?");
    }

    @Test
    void missingOptionIsNamed() {
        assertThatThrownBy(() -> NodeOptions.parse(List.of("--name", "n1"))).hasMessageContaining("--data is missing");
    }

    @Test
    void optionWithoutValueIsNamed() {
        assertThatThrownBy(() -> parse("--capacity")).hasMessageContaining("--capacity needs a value");
        assertThatThrownBy(() -> parse("--capacity", "--pool")).hasMessageContaining("--capacity needs a value");
    }

    @Test
    void malformedValuesNameTheOption() {
        assertThatThrownBy(() -> parse("--capacity", "8 apples")).hasMessageContaining("--capacity");
        assertThatThrownBy(() -> parse("--capacity", "-1")).hasMessageContaining("--capacity");
        assertThatThrownBy(() -> parse("--capacity", "99999999TiB")).hasMessageContaining("--capacity");
        assertThatThrownBy(() -> parse("--loops", "0")).hasMessageContaining("--loops");
        assertThatThrownBy(() -> parse("--boot-id", "x")).hasMessageContaining("--boot-id");
        assertThatThrownBy(() -> parse("--name", "n2")).hasMessageContaining("given twice");
    }
}
