package io.gabion.csi.node;

import io.gabion.csi.agent.NodeAgent;
import io.gabion.csi.agent.NodeAgent.Attached;
import io.gabion.csi.host.DeviceNumber;
import io.gabion.csi.rpc.CsiFailure;
import java.nio.file.Path;
import java.util.Optional;

/** Devices of this machine's volumes: the agent tells them; nothing is found by searching paths. */
final class Devices {
    private final NodeAgent agent;

    Devices(NodeAgent agent) {
        this.agent = agent;
    }

    /** A volume with its device. */
    record VolumeDevice(Attached attached, Path path, DeviceNumber number) {}

    Optional<Attached> attached(String volume) {
        return agent.attachments().stream()
                .filter(attached -> attached.name().equals(volume))
                .findFirst();
    }

    Optional<VolumeDevice> find(String volume) {
        return attached(volume).flatMap(Devices::withNumber);
    }

    private static Optional<VolumeDevice> withNumber(Attached attached) {
        return attached.device()
                .flatMap(path -> DeviceNumber.of(path).map(number -> new VolumeDevice(attached, path, number)));
    }

    /** The number of a device that the agent just named. */
    static DeviceNumber number(Path device) {
        return DeviceNumber.of(device)
                .orElseThrow(() -> CsiFailure.internal(
                        "the agent named the device " + device + ", which is no block device here (is /dev of the host"
                                + " mounted into the driver's container?)",
                        null));
    }
}
