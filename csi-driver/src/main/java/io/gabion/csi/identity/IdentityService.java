package io.gabion.csi.identity;

import com.google.protobuf.BoolValue;
import csi.v1.GetPluginCapabilitiesRequest;
import csi.v1.GetPluginCapabilitiesResponse;
import csi.v1.GetPluginInfoRequest;
import csi.v1.GetPluginInfoResponse;
import csi.v1.IdentityGrpc;
import csi.v1.PluginCapability;
import csi.v1.ProbeRequest;
import csi.v1.ProbeResponse;
import io.gabion.csi.rpc.Calls;
import io.gabion.process.Probe;
import io.grpc.stub.StreamObserver;

/** The identity service. */
public final class IdentityService extends IdentityGrpc.IdentityImplBase {
    /** Name of the driver in StorageClasses and PersistentVolumes. */
    public static final String NAME = "csi.gabion.io";

    private final String version;
    private final Probe readiness;

    public IdentityService(String version, Probe readiness) {
        this.version = version;
        this.readiness = readiness;
    }

    @Override
    public void getPluginInfo(GetPluginInfoRequest request, StreamObserver<GetPluginInfoResponse> observer) {
        Calls.answer(observer, () -> GetPluginInfoResponse.newBuilder()
                .setName(NAME)
                .setVendorVersion(version)
                .build());
    }

    @Override
    public void getPluginCapabilities(
            GetPluginCapabilitiesRequest request, StreamObserver<GetPluginCapabilitiesResponse> observer) {
        Calls.answer(observer, () -> GetPluginCapabilitiesResponse.newBuilder()
                .addCapabilities(service(PluginCapability.Service.Type.CONTROLLER_SERVICE))
                .addCapabilities(service(PluginCapability.Service.Type.VOLUME_ACCESSIBILITY_CONSTRAINTS))
                .addCapabilities(PluginCapability.newBuilder()
                        .setVolumeExpansion(PluginCapability.VolumeExpansion.newBuilder()
                                .setType(PluginCapability.VolumeExpansion.Type.ONLINE)))
                .build());
    }

    private static PluginCapability.Builder service(PluginCapability.Service.Type type) {
        return PluginCapability.newBuilder()
                .setService(PluginCapability.Service.newBuilder().setType(type));
    }

    @Override
    public void probe(ProbeRequest request, StreamObserver<ProbeResponse> observer) {
        Calls.answer(observer, () -> ProbeResponse.newBuilder()
                .setReady(BoolValue.of(readiness.obstacle().isEmpty()))
                .build());
    }
}
