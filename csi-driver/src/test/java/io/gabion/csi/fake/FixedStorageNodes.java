package io.gabion.csi.fake;

import io.gabion.csi.backend.StorageNodes;
import io.gabion.model.NodeName;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** Storage nodes that a test moves. */
public final class FixedStorageNodes implements StorageNodes {
    private final List<Consumer<List<Address>>> listeners = new CopyOnWriteArrayList<>();
    private volatile List<Address> addresses = List.of(new Address(new NodeName("storage-1"), "192.0.2.1", 7400, 7401));

    public void move(List<Address> now) {
        addresses = now;
        listeners.forEach(listener -> listener.accept(now));
    }

    @Override
    public List<Address> current() {
        return addresses;
    }

    @Override
    public Subscription watch(Consumer<List<Address>> listener) {
        listeners.add(listener);
        listener.accept(addresses);
        return () -> listeners.remove(listener);
    }
}
