package io.gabion.api.v1alpha1;

import io.fabric8.kubernetes.client.CustomResource;
import java.util.List;

/** All kinds of the API. */
public final class Kinds {
    /** In the order in which people meet them. */
    public static final List<Class<? extends CustomResource<?, ?>>> ALL =
            List.of(StorageCluster.class, StoragePool.class, StorageNode.class, Volume.class, Snapshot.class);

    private Kinds() {}

    /** Class-path name of the checked-in definition of a kind. */
    public static String definitionResource(Class<? extends CustomResource<?, ?>> kind) {
        return "/crds/" + CustomResource.getCRDName(kind) + ".yaml";
    }
}
