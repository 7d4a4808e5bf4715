package io.gabion.configstore;

/** Version of the running program. */
final class BuildVersion {
    private BuildVersion() {}

    /** The version in the jar's manifest; "development" when the classes do not come from a jar. */
    static String text() {
        String version = BuildVersion.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
