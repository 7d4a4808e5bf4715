package io.gabion.node;

/** Version of this software, as its jar says. */
final class NodeVersion {
    static final String TEXT = text();

    private NodeVersion() {}

    private static String text() {
        String version = NodeVersion.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
