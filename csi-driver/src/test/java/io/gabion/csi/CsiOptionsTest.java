package io.gabion.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.csi.CsiOptions.Role;
import io.gabion.process.UsageException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class CsiOptionsTest {
    private static CsiOptions parse(String... arguments) throws UsageException {
        return CsiOptions.parse(List.of(arguments), Map.of());
    }

    @Test
    void theDefaultsAreTheKubeletsPaths() throws Exception {
        CsiOptions options = parse("--role", "node", "--node-name=n1");

        assertThat(options.role()).isEqualTo(Role.NODE);
        assertThat(options.endpoint()).isEqualTo(Path.of("/csi/csi.sock"));
        assertThat(options.httpListen().getPort()).isEqualTo(7422);
        assertThat(options.kubeletEndpoint()).isEqualTo(Path.of("/var/lib/kubelet/plugins/csi.gabion.io/csi.sock"));
        assertThat(options.registrationSocket())
                .isEqualTo(Path.of("/var/lib/kubelet/plugins_registry/csi.gabion.io-reg.sock"));
        assertThat(options.alpha()).isFalse();
        assertThat(parse("--role", "controller", "--node-name=n1").httpListen().getPort())
                .isEqualTo(7423);
    }

    @Test
    void theEnvironmentStandsInForEndpointAndNode() throws Exception {
        CsiOptions options =
                CsiOptions.parse(List.of("--role=all"), Map.of("CSI_ENDPOINT", "unix:///x/y.sock", "NODE_NAME", "n2"));

        assertThat(options.endpoint()).isEqualTo(Path.of("/x/y.sock"));
        assertThat(options.node().value()).isEqualTo("n2");
    }

    @Test
    void whatIsWrongIsNamed() {
        assertThatThrownBy(() -> parse("--role", "nodes"))
                .hasMessage("--role \"nodes\": must be controller, node or all");
        assertThatThrownBy(() -> parse()).hasMessage("--role is missing: controller, node or all");
        assertThatThrownBy(() -> parse("--rol", "node")).hasMessage("unknown option \"--rol\"; did you mean --role?");
        assertThatThrownBy(() -> parse("--role", "node", "--node-name", "n", "--endpoint", "tcp://x"))
                .hasMessageContaining("must be unix:///PATH");
        assertThatThrownBy(() -> parse("--role", "node", "--node-name", "n", "--max-volumes", "0"))
                .hasMessage("--max-volumes \"0\": must be 1 to 4096");
    }
}
