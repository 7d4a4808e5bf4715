package io.gabion.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Processes that serve a volume are killed while fio writes to it and compares every block: the load pauses, and nothing is lost. */
@Journey
@Tag("killed-processes")
class KilledProcessesIT {
    private static final Duration LOAD_BETWEEN_KILLS = Duration.ofSeconds(4);
    private static final int FIO_MEBIBYTES = 32;

    @Test
    @Tag("quick")
    void theAgentIsKilledUnderAFileSystem(Workspace workspace) {
        killUnderLoad(workspace, workspace.claim("data", "gabion-replicated", "1Gi"), Component.AGENT, 3);
    }

    @Test
    void theAgentIsKilledUnderARawDevice(Workspace workspace) {
        killUnderLoad(workspace, workspace.blockClaim("data", "gabion-replicated", "1Gi"), Component.AGENT, 3);
    }

    @Test
    @Tag("quick")
    void theStorageProcessThatLeadsTheVolumeIsKilled(Workspace workspace) {
        killUnderLoad(workspace, workspace.claim("data", "gabion-replicated", "1Gi"), Component.DATA_PLANE, 3);
    }

    @Test
    void theNodeServiceOfTheDriverIsKilled(Workspace workspace) {
        killUnderLoad(workspace, workspace.claim("data", "gabion-replicated", "1Gi"), Component.CSI_NODE, 2);
    }

    private static void killUnderLoad(Workspace workspace, Claim claim, Component component, int kills) {
        Cluster cluster = workspace.cluster();
        String node = cluster.storageNodes().getFirst();
        ToolPod pod = ToolPod.start(claim, node);
        FioVerify fio = FioVerify.start(pod, FIO_MEBIBYTES);
        for (int kill = 0; kill < kills; kill++) {
            Waiting.pass(LOAD_BETWEEN_KILLS);
            String where = component == Component.DATA_PLANE
                    ? claim.volumeStatus().path("primaryNode").asText()
                    : node;
            cluster.killProcess(component, where);
            fio.check();
        }
        Waiting.pass(LOAD_BETWEEN_KILLS);
        assertThat(fio.finish()).as("rounds of fio").isPositive();
        pod.stop();
        // The mount did not only survive: it can be taken down, and the volume comes up elsewhere.
        ToolPod elsewhere = ToolPod.start(claim, cluster.storageNodes().getLast());
        elsewhere.stop();
    }
}
