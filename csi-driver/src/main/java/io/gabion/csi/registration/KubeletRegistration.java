package io.gabion.csi.registration;

import io.gabion.csi.identity.IdentityService;
import io.gabion.process.Probe;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import pluginregistration.v1.InfoRequest;
import pluginregistration.v1.PluginInfo;
import pluginregistration.v1.RegistrationGrpc;
import pluginregistration.v1.RegistrationStatus;
import pluginregistration.v1.RegistrationStatusResponse;

/** Introduces the driver to the kubelet, which finds our socket among its plug-ins' and calls. */
public final class KubeletRegistration extends RegistrationGrpc.RegistrationImplBase implements Probe {
    private static final Logger LOG = LoggerFactory.getLogger(KubeletRegistration.class);
    private static final String TYPE = "CSIPlugin";
    /** Of the interface, as the kubelet counts: everything 1.x is 1.0.0. */
    private static final String INTERFACE_VERSION = "1.0.0";

    private final String endpoint;
    private volatile @Nullable String refusal;

    /** @param endpoint path of the driver's socket as the kubelet sees it */
    public KubeletRegistration(String endpoint) {
        this.endpoint = endpoint;
    }

    @Override
    public void getInfo(InfoRequest request, StreamObserver<PluginInfo> observer) {
        observer.onNext(PluginInfo.newBuilder()
                .setType(TYPE)
                .setName(IdentityService.NAME)
                .setEndpoint(endpoint)
                .addSupportedVersions(INTERFACE_VERSION)
                .build());
        observer.onCompleted();
    }

    @Override
    public void notifyRegistrationStatus(
            RegistrationStatus request, StreamObserver<RegistrationStatusResponse> observer) {
        if (request.getPluginRegistered()) {
            refusal = null;
            LOG.info("the kubelet registered the driver");
        } else {
            refusal = request.getError();
            LOG.error("the kubelet refused the driver: {}", request.getError());
        }
        observer.onNext(RegistrationStatusResponse.getDefaultInstance());
        observer.onCompleted();
    }

    /** The kubelet asks once per socket: after a refusal only a new one, hence a restart, helps. */
    @Override
    public Optional<String> obstacle() {
        return Optional.ofNullable(refusal).map(reason -> "the kubelet refused the driver: " + reason);
    }
}
