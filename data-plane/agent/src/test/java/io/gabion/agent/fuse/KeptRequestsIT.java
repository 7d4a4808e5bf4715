package io.gabion.agent.fuse;

/** The same devices as a kernel before 6.9 has them: requests are kept in a file until they are answered. */
class KeptRequestsIT extends VolumeDevicesIT {
    @Override
    VolumeDevices.Resend resend() {
        return VolumeDevices.Resend.NEVER;
    }
}
