package io.gabion.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** {@code -Dtest.jvm.arguments=-Dgabion.crds.write=true} rewrites the files instead. */
class DefinitionDriftTest {
    private static final Path FOLDER = Path.of("src/main/resources/crds");

    @Test
    void theCheckedInDefinitionsAreThoseOfTheClasses() throws IOException {
        Map<String, String> generated = DefinitionFiles.generate();
        assertThat(generated.keySet())
                .containsExactlyInAnyOrderElementsOf(
                        Kinds.ALL.stream().map(DefinitionFiles::fileName).toList());
        if (Boolean.getBoolean("gabion.crds.write")) {
            Files.createDirectories(FOLDER);
            for (Map.Entry<String, String> file : generated.entrySet()) {
                Files.writeString(FOLDER.resolve(file.getKey()), file.getValue());
            }
        }
        for (Map.Entry<String, String> file : generated.entrySet()) {
            assertThat(Files.readString(FOLDER.resolve(file.getKey())))
                    .as(
                            "%s differs from the classes; rewrite it with -Dtest.jvm.arguments=-Dgabion.crds.write=true",
                            file.getKey())
                    .isEqualTo(file.getValue());
        }
    }
}
