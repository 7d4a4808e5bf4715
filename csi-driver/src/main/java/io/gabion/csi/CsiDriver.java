package io.gabion.csi;

import io.gabion.csi.kubernetes.KubernetesGround;
import io.gabion.process.Program;
import java.util.List;
import java.util.Optional;

/** Entry point of the CSI driver's process. */
public final class CsiDriver {
    private CsiDriver() {}

    public static void main(String[] arguments) {
        new Program("gabion-csi-driver", CsiOptions.USAGE, "logback-csi-driver.xml").run(arguments, words -> {
            if (words.equals(List.of("--warm-up"))) {
                WarmUp.run();
                return Optional.empty();
            }
            CsiOptions options = CsiOptions.parse(words, System.getenv());
            return Optional.of(CsiProcess.start(options, waitingFor -> KubernetesGround.open(options, waitingFor)));
        });
    }
}
