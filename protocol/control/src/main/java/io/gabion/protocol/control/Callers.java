package io.gabion.protocol.control;

import static java.util.Objects.requireNonNull;

import io.gabion.protocol.control.v1.NodeControlGrpc;
import io.grpc.MethodDescriptor;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Who may call a server.
 *
 * @param everything roles that may call every method
 * @param single further roles that may call single methods, by full name
 */
public record Callers(Set<ControlRole> everything, Map<String, Set<ControlRole>> single) {
    /**
     * Of the control interface of a storage node: the operator and the command. The driver's controller may ask whether the
     * primary obeys a fence, and nothing else.
     */
    public static final Callers OF_STORAGE_NODES = new Callers(
            Set.of(ControlRole.OPERATOR),
            Map.of(name(NodeControlGrpc.getListReplicasMethod()), Set.of(ControlRole.CSI_CONTROLLER)));

    public Callers {
        requireNonNull(everything, "everything is null");
        requireNonNull(single, "single is null");
        everything = Set.copyOf(everything);
        single = Map.copyOf(single);
    }

    /** These roles may call every method, all others none. */
    static Callers of(Set<ControlRole> roles) {
        return new Callers(roles, Map.of());
    }

    /** Roles that may call the method. */
    Set<ControlRole> of(MethodDescriptor<?, ?> method) {
        Set<ControlRole> roles = new HashSet<>(everything);
        roles.addAll(single.getOrDefault(name(method), Set.of()));
        return roles;
    }

    private static String name(MethodDescriptor<?, ?> method) {
        return method.getFullMethodName();
    }
}
