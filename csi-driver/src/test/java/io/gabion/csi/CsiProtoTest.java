package io.gabion.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto;
import csi.v1.CsiProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Our file of the interface against that of the specification, where Go keeps it ({@code go mod download} of what
 * {@code e2e/cluster/modules} names brings it): every service, message, field and value has the same name, number and type.
 */
final class CsiProtoTest {
    private static final String OFFICIAL = "pkg/mod/github.com/container-storage-interface/spec@v1.13.0/csi.proto";
    /** Where our name differs, and why, says the head of our file. */
    private static final String OURS = "changeable_parameters";

    private static final String THEIRS = "mutable_parameters";
    private static final int LIMIT_SECONDS = 30;

    @TempDir
    private Path directory = Path.of("");

    @Test
    void everyDescriptorIsThatOfTheSpecification() throws Exception {
        Path official = official();
        assumeTrue(Files.exists(official), official + " is not there");
        Optional<Path> compiler = find(Path.of("target/protoc-plugins"), "protoc-4");
        assumeTrue(compiler.isPresent(), "the compiler of the build is not there");

        assertThat(lines(CsiProto.getDescriptor().toProto()))
                .containsExactlyElementsOf(lines(compiled(compiler.orElseThrow(), official)));
    }

    private static Path official() {
        String path = System.getenv("GOPATH");
        return (path == null ? Path.of(System.getProperty("user.home"), "go") : Path.of(path)).resolve(OFFICIAL);
    }

    private static Optional<Path> find(Path directory, String prefix) throws IOException {
        if (!Files.isDirectory(directory)) {
            return Optional.empty();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.getFileName().toString().startsWith(prefix))
                    .findFirst();
        }
    }

    private FileDescriptorProto compiled(Path compiler, Path official) throws Exception {
        Path output = directory.resolve("official");
        List<Path> includes;
        try (Stream<Path> files = Files.walk(Path.of("target/protoc-dependencies"))) {
            includes = files.filter(file -> file.endsWith("google/protobuf/descriptor.proto"))
                    .map(file -> Path.of("/")
                            .resolve(file.toAbsolutePath()
                                    .subpath(0, file.toAbsolutePath().getNameCount() - 3)))
                    .toList();
        }
        Process process = new ProcessBuilder(
                        compiler.toAbsolutePath().toString(),
                        "--proto_path=" + includes.getFirst(),
                        "--proto_path=" + official.getParent(),
                        "--descriptor_set_out=" + output,
                        official.toString())
                .inheritIO()
                .start();
        assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
        return FileDescriptorSet.parseFrom(Files.readAllBytes(output)).getFile(0);
    }

    private static Set<String> lines(FileDescriptorProto file) {
        Set<String> lines = new TreeSet<>();
        for (ServiceDescriptorProto service : file.getServiceList()) {
            service.getMethodList()
                    .forEach(method -> lines.add("service " + service.getName() + ": " + method.getName() + "("
                            + method.getInputType() + ") " + method.getOutputType() + " "
                            + method.getServerStreaming()));
        }
        file.getMessageTypeList().forEach(message -> message(lines, "", message));
        file.getEnumTypeList().forEach(type -> enumeration(lines, "", type));
        return lines;
    }

    private static void message(Set<String> lines, String prefix, DescriptorProto message) {
        String name = prefix + message.getName();
        lines.add("message " + name);
        for (FieldDescriptorProto field : message.getFieldList()) {
            String oneof = field.hasOneofIndex()
                    ? message.getOneofDecl(field.getOneofIndex()).getName()
                    : "";
            lines.add("field " + name + "." + theirs(field.getName()) + " = " + field.getNumber() + " "
                    + field.getType() + " " + field.getLabel() + " " + entry(field.getTypeName()) + " " + oneof);
        }
        message.getNestedTypeList().stream()
                .filter(nested -> !nested.getOptions().getMapEntry())
                .forEach(nested -> message(lines, name + ".", nested));
        message.getEnumTypeList().forEach(type -> enumeration(lines, name + ".", type));
    }

    private static void enumeration(Set<String> lines, String prefix, EnumDescriptorProto type) {
        type.getValueList()
                .forEach(value -> lines.add(
                        "enum " + prefix + type.getName() + "." + value.getName() + " = " + value.getNumber()));
    }

    private static String theirs(String name) {
        return name.equals(OURS) ? THEIRS : name;
    }

    private static String entry(String type) {
        return type.replace("ChangeableParametersEntry", "MutableParametersEntry");
    }
}
