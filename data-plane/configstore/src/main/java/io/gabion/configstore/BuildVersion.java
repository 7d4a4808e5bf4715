package io.gabion.configstore;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

/** Version of the running program. */
final class BuildVersion {
    private BuildVersion() {}

    /** The version that the build wrote down. */
    static String text() {
        Properties properties = new Properties();
        try (InputStream in = BuildVersion.class.getResourceAsStream("version.properties")) {
            if (in != null) {
                properties.load(in);
            }
        } catch (IOException e) {
            return "unknown";
        }
        return properties.getProperty("version", "unknown");
    }
}
