package io.gabion.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.process.UsageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class KubernetesOptionsTest {
    private static final List<String> POD = List.of(
            "--kubernetes",
            "--name",
            "storage-1",
            "--data",
            "/var/lib/gabion",
            "--data-listen",
            "0.0.0.0:7400",
            "--control-listen",
            "0.0.0.0:7401",
            "--metrics-listen",
            "0.0.0.0:7402",
            "--boot-id",
            "5b1e2f6e-0d5c-4a57-9a57-0d5c4a579a57");

    private static KubernetesOptions parse(String... more) throws UsageException {
        List<String> arguments = new ArrayList<>(POD);
        arguments.addAll(List.of(more));
        return KubernetesOptions.parse(arguments);
    }

    @Test
    void thePodsArgumentsAreEnough() throws Exception {
        KubernetesOptions options = parse("--host", "10.1.2.3");
        assertThat(options.name().value()).isEqualTo("storage-1");
        assertThat(options.data()).isEqualTo(Path.of("/var/lib/gabion"));
        assertThat(options.host()).contains("10.1.2.3");
        assertThat(options.cluster()).isEmpty();
        assertThat(options.certificate()).isEmpty();
        assertThat(options.controlListen().getPort()).isEqualTo(7401);
        assertThat(options.bootId()).isEqualTo(UUID.fromString("5b1e2f6e-0d5c-4a57-9a57-0d5c4a579a57"));
    }

    @Test
    void aCertificateComesWithItsKeyAndItsAuthority() {
        assertThatThrownBy(() -> parse("--certificate", "a.pem")).hasMessage("--key is missing");
    }

    @Test
    void optionsOfTheStandAloneNodeAreRefused() {
        assertThatThrownBy(() -> parse("--configuration-store", "10.1.1.1:7000"))
                .hasMessageContaining("unknown option \"--configuration-store\"");
    }
}
