package io.gabion.csi.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.csi.host.MountTable.Mount;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

final class MountTableTest {
    private static final MountTable TABLE = MountTable.parse(List.of(
            "36 35 7:3 / /var/lib/kubelet/globalmount rw,noatime shared:1 master:2 - ext4 /dev/loop3 rw,errors=continue",
            "37 35 7:3 / /var/lib/kubelet/pods/with\\040space ro,relatime - ext4 /dev/loop3 rw",
            "38 35 0:5 /loop4 /var/lib/kubelet/block rw shared:9 - devtmpfs devtmpfs rw",
            "39 35 0:50 / /var/lib/kubelet/globalmount rw - tmpfs tmpfs rw",
            "nonsense"));

    @Test
    void theLastMountAtAPathIsTheOneThatIsSeen() {
        assertThat(TABLE.at(Path.of("/var/lib/kubelet/globalmount")).map(Mount::type))
                .contains("tmpfs");
        assertThat(TABLE.at(Path.of("/var/lib/kubelet"))).isEmpty();
    }

    @Test
    void allMountsOfADeviceAreFoundWithTheirModes() {
        assertThat(TABLE.ofFileSystemOn(new DeviceNumber(7, 3)))
                .containsExactly(
                        new Mount(new DeviceNumber(7, 3), "/", Path.of("/var/lib/kubelet/globalmount"), false, "ext4"),
                        new Mount(
                                new DeviceNumber(7, 3),
                                "/",
                                Path.of("/var/lib/kubelet/pods/with space"),
                                true,
                                "ext4"));
    }

    @Test
    void theKernelsOwnTableCanBeRead() {
        assertThat(MountTable.read().at(Path.of("/proc")).map(Mount::type)).contains("proc");
    }
}
