package io.gabion.e2e;

/** Images of applications, made from images/test; a system property names one elsewhere. */
public final class Images {
    private Images() {}

    /** Of the application; {@code gabion.NAME.image} overrides it. */
    public static String of(String application) {
        return System.getProperty("gabion." + application + ".image", "gabion.local/test-" + application + ":1");
    }
}
