package io.gabion.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.process.UsageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AgentOptionsTest {
    private static final List<String> GOOD = List.of(
            "--name",
            "agent-1",
            "--cluster",
            "00000000-0000-0001-0000-000000000002",
            "--certificate=a.pem",
            "--key=a.key",
            "--ca=ca.pem",
            "--socket-directory",
            "/run/gabion",
            "--control-listen",
            "127.0.0.1:7500",
            "--metrics-listen",
            "127.0.0.1:7501");

    private static void refused(String message, String... more) {
        List<String> arguments = new ArrayList<>(GOOD);
        arguments.addAll(List.of(more));
        assertThatThrownBy(() -> AgentOptions.parse(arguments))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining(message);
    }

    @Test
    void bothWaysToWriteAnOptionAreRead() throws Exception {
        AgentOptions options = AgentOptions.parse(GOOD);
        assertThat(options.name().value()).isEqualTo("agent-1");
        assertThat(options.controlListen().orElseThrow().getPort()).isEqualTo(7500);
        assertThat(options.controlSocket()).isEmpty();
        assertThat(options.devicesDirectory()).isEqualTo(Path.of("/run/gabion/devices"));
        assertThat(options.nbdTcpListen()).isEmpty();
        assertThat(options.nbdList()).isFalse();
    }

    @Test
    void oneOfTheControlAddressesIsEnough() throws Exception {
        List<String> arguments = new ArrayList<>(GOOD);
        int at = arguments.indexOf("--control-listen");
        arguments.subList(at, at + 2).clear();
        assertThatThrownBy(() -> AgentOptions.parse(arguments))
                .hasMessageContaining("--control-listen or --control-socket is missing");
        arguments.add("--control-socket=/run/gabion/control.sock");
        assertThat(AgentOptions.parse(arguments).controlSocket()).contains(Path.of("/run/gabion/control.sock"));
    }

    @Test
    void mistakesNameTheOptionAndTheRemedy() {
        refused("did you mean --metrics-listen", "--metric-listen", "127.0.0.1:1");
        refused("did you mean --nbd-list", "--nbd-lists=yes");
        refused("--loops \"two\": must be a number", "--loops", "two");
        refused("--loops \"0\": must be 1 to", "--loops", "0");
        refused("--network-backend", "--network-backend", "kqueue");
        refused("--nbd-list", "--nbd-list=perhaps");
        refused("--nbd-tcp-listen", "--nbd-tcp-listen", "10809");
        refused("--name is given twice", "--name", "agent-2");
        refused("--loops needs a value", "--loops");
        assertThatThrownBy(() -> AgentOptions.parse(List.of("--name", "agent-1")))
                .hasMessageContaining("--cluster is missing");
    }
}
