package io.gabion.api.v1alpha1;

import io.fabric8.crdv2.generator.CRDGenerator;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.CustomResource;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Makes the YAML of the custom resource definitions from the classes. */
final class DefinitionFiles {
    private DefinitionFiles() {}

    /** File name to content. */
    static Map<String, String> generate() {
        Map<String, ByteArrayOutputStream> streams = new LinkedHashMap<>();
        List<Class<? extends HasMetadata>> classes = new ArrayList<>(Kinds.ALL);
        new CRDGenerator()
                .customResourceClasses(classes)
                .forCRDVersions("v1")
                .withParallelGenerationEnabled(false)
                .withMinQuotes(true)
                .withPostProcessor(new DefinitionFinish())
                .withOutput(new Memory(streams))
                .generate();
        Map<String, String> files = new LinkedHashMap<>();
        streams.forEach(
                (name, bytes) -> files.put(name.replace("-v1", "") + ".yaml", bytes.toString(StandardCharsets.UTF_8)));
        return files;
    }

    static String fileName(Class<? extends CustomResource<?, ?>> kind) {
        return CustomResource.getCRDName(kind) + ".yaml";
    }

    static CustomResourceDefinition definition(HasMetadata crd) {
        return (CustomResourceDefinition) crd;
    }

    private static final class Memory implements CRDGenerator.CRDOutput<ByteArrayOutputStream> {
        private final Map<String, ByteArrayOutputStream> streams;

        Memory(Map<String, ByteArrayOutputStream> streams) {
            this.streams = streams;
        }

        @Override
        public ByteArrayOutputStream outputFor(String crdName) {
            return streams.computeIfAbsent(crdName, n -> new ByteArrayOutputStream());
        }

        @Override
        public java.net.URI crdURI(String crdName) {
            return java.net.URI.create("file:///" + crdName);
        }

        @Override
        public void close() throws IOException {
            // Nothing is open.
        }
    }
}
