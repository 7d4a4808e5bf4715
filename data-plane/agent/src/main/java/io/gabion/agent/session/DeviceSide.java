package io.gabion.agent.session;

import static java.util.Objects.requireNonNull;

import io.gabion.agent.fuse.VolumeDevices;
import io.gabion.agent.session.AttachException.Kind;
import io.gabion.agent.session.Attachment.DeviceKind;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The block devices of those volumes that have one. Calls may block for seconds. */
final class DeviceSide {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceSide.class);

    private final VolumeDevices devices;

    DeviceSide(VolumeDevices devices) {
        this.devices = requireNonNull(devices, "devices is null");
    }

    private static boolean wantsOne(VolumeExport export) {
        return export.attachment().device() == DeviceKind.FUSE_LOOP;
    }

    /** Goes on with the device of the last process; false where it should have one and it is gone. */
    boolean resume(VolumeExport export) {
        if (!wantsOne(export)) {
            return true;
        }
        String name = export.attachment().describe();
        try {
            if (devices.resume(export.volume(), export).isEmpty()) {
                LOG.warn("the device of volume {} ended with the last process, the next Attach makes a new one", name);
                return false;
            }
        } catch (IOException e) {
            LOG.error("the device of volume {} cannot go on: {}", name, e.getMessage());
            return false;
        }
        if (!export.attachment().failure().isEmpty()) {
            // The last process may have died before it came to that.
            Thread.startVirtualThread(() -> shutDownFileSystem(export));
        }
        return true;
    }

    /** Gives up what the last process had and nobody wants. */
    void closeUnclaimed() {
        devices.closeUnclaimed();
    }

    /** Its path; makes the device where there is none, and returns an empty path where none is wanted. */
    String make(VolumeExport export) throws IOException {
        return wantsOne(export) ? devices.attach(export.volume(), export) : "";
    }

    /** The path; empty where there is no device. */
    String path(VolumeExport export) {
        return devices.path(export.volume()).orElse("");
    }

    void grow(VolumeExport export) throws IOException {
        devices.grow(export.volume(), export);
    }

    /** Nobody may read what was true before the fence. */
    void shutDownFileSystem(VolumeExport export) {
        try {
            devices.shutDownFileSystem(export.volume());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** In use or not. */
    void remove(VolumeExport export) throws IOException {
        devices.detach(export.volume(), true);
    }

    /** @param force also when the device is in use */
    void takeAway(VolumeExport export, boolean force) throws AttachException {
        try {
            devices.detach(export.volume(), force);
        } catch (VolumeDevices.InUseException e) {
            throw new AttachException(
                    Kind.CONFLICT, "volume " + export.attachment().describe() + ": " + e.getMessage(), e);
        } catch (IOException e) {
            throw new AttachException(
                    Kind.LOCAL, "volume " + export.attachment().describe() + ": " + e.getMessage(), e);
        }
    }
}
