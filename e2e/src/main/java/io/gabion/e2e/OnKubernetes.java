package io.gabion.e2e;

import java.util.Locale;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;

/**
 * Gives each test a namespace on the one cluster of the run, and says what the cluster looks like when it fails. With the system
 * property {@code gabion.deleted.leaders} the operator loses its leader every minute as long as any test runs.
 */
public final class OnKubernetes implements ParameterResolver, TestExecutionExceptionHandler {
    private static final Namespace STORE = Namespace.create(OnKubernetes.class);
    private static final int MAX_NAME = 50;

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Workspace.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return context.getStore(STORE)
                .getOrComputeIfAbsent(
                        Workspace.class, _ -> new Workspace(cluster(context), nameOf(context)), Workspace.class);
    }

    private static Cluster cluster(ExtensionContext context) {
        ExtensionContext.Store store = context.getRoot().getStore(STORE);
        Cluster cluster = store.getOrComputeIfAbsent(Cluster.class, _ -> Cluster.open(), Cluster.class);
        if (Boolean.getBoolean("gabion.deleted.leaders")) {
            store.getOrComputeIfAbsent(DeletedLeaders.class, _ -> DeletedLeaders.start(cluster), DeletedLeaders.class);
        }
        return cluster;
    }

    private static String nameOf(ExtensionContext context) {
        String name = (context.getRequiredTestClass().getSimpleName() + "-" + context.getDisplayName())
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^a-z0-9]+", "-");
        return name.substring(0, Math.min(name.length(), MAX_NAME)).replaceAll("-$", "");
    }

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        System.out.println("[gabion] " + context.getDisplayName() + " failed; the cluster:\n"
                + cluster(context).explain());
        throw failure;
    }
}
