package io.gabion.cli.text;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.PrintWriter;
import java.util.function.Supplier;

/** Where results go: text for people, or the same facts as JSON. Errors go elsewhere. */
public final class Output {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .defaultPropertyInclusion(
                    JsonInclude.Value.construct(JsonInclude.Include.ALWAYS, JsonInclude.Include.ALWAYS))
            .build();

    private final Format format;
    private final PrintWriter out;

    public Output(Format format, PrintWriter out) {
        this.format = format;
        this.out = out;
    }

    /** @param facts records, lists and plain values only */
    public void show(Object facts, Supplier<String> text) {
        switch (format) {
            case TEXT -> out.println(text.get().stripTrailing());
            case JSON -> {
                try {
                    out.println(JSON.writeValueAsString(facts));
                } catch (JsonProcessingException e) {
                    throw new IllegalStateException("the result cannot be written as JSON", e);
                }
            }
        }
    }

    /** What happens meanwhile; only for people. */
    public void progress(String line) {
        if (format == Format.TEXT) {
            out.println(line);
        }
    }
}
