package io.gabion.csi.backend;

import io.gabion.model.NodeName;
import java.util.List;
import java.util.function.Consumer;

/** Where the storage nodes are. */
public interface StorageNodes {
    /** Where one storage node serves data and control. */
    record Address(NodeName node, String host, int dataPort, int controlPort) {}

    /** An interest that ends. */
    interface Subscription extends AutoCloseable {
        @Override
        void close();
    }

    /** All that are known now. */
    List<Address> current();

    /** Tells the addresses at once and after each change, until closed. */
    Subscription watch(Consumer<List<Address>> listener);
}
