package io.gabion.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gabion.csi.fake.TestDriver;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * The conformance suite of the CSI project (csi-test 5.6.0) against the whole driver: real mounts over loop devices, the cluster
 * in memory. Needs root and the program csi-sanity, named by GABION_CSI_SANITY or built by {@code ./dev}.
 */
@Tag("kubernetes")
@Tag("long")
final class CsiSanityIT {
    private static final int LIMIT_MINUTES = 8;

    @TempDir
    private Path directory = Path.of("");

    @ParameterizedTest(name = "{0} volumes, with secrets: {1}")
    @CsvSource({"mount, false", "block, false", "mount, true"})
    void everySpecificationOfTheSuitePassesAndNoneIsSkippedUnlessAllowed(String accessType, boolean secrets)
            throws Exception {
        Optional<Path> program = program();
        assumeTrue(program.isPresent(), "csi-sanity is not built; set GABION_CSI_SANITY to the program");
        assumeTrue(isRoot(), "mounting needs root");
        Path report = directory.resolve("report.xml");
        Path mutable = Files.writeString(directory.resolve("mutable.yaml"), "qosIops: \"500\"\n");
        try (TestDriver driver = new TestDriver(directory, true)) {
            Path log = directory.resolve("log");
            List<String> command = new ArrayList<>(List.of(
                    program.orElseThrow().toString(),
                    "--csi.endpoint=unix:" + driver.socket,
                    "--csi.mountdir=" + directory.resolve("mount"),
                    "--csi.stagingdir=" + directory.resolve("staging"),
                    "--csi.testvolumesize=" + (512L << 20),
                    "--csi.testvolumeexpandsize=" + (1L << 30),
                    "--csi.testvolumeaccesstype=" + accessType,
                    "--csi.testvolumemutableparameters=" + mutable,
                    "--csi.testnodevolumeattachlimit",
                    "--ginkgo.junit-report=" + report));
            if (secrets) {
                command.add("--csi.secrets=" + Files.writeString(directory.resolve("secrets.yaml"), secrets()));
            }
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            boolean ended = process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES);
            process.destroyForcibly();
            assertThat(ended).as("csi-sanity ended").isTrue();
            assertThat(report).as(() -> tail(log)).exists();
            Report result = Report.read(report);
            assertThat(result.failed).as(() -> tail(log)).isEmpty();
            assertThat(process.exitValue()).isZero();
            assertThat(result.skipped).containsExactlyInAnyOrderElementsOf(allowedSkips());
        }
    }

    private static String secrets() {
        return Stream.of(
                        "CreateVolume",
                        "DeleteVolume",
                        "ControllerPublishVolume",
                        "ControllerUnpublishVolume",
                        "ControllerValidateVolumeCapabilities",
                        "ControllerExpandVolume",
                        "NodeStageVolume",
                        "NodePublishVolume")
                .map(call -> call + "Secret:\n  key: value-of-a-secret\n")
                .collect(Collectors.joining());
    }

    private static Optional<Path> program() {
        String named = System.getenv("GABION_CSI_SANITY");
        List<Path> places = new ArrayList<>();
        if (named != null) {
            places.add(Path.of(named));
        }
        places.add(Path.of(System.getProperty("user.home"), ".cache/gabion/kubernetes/bin/csi-sanity"));
        return places.stream().filter(Files::isExecutable).findFirst();
    }

    private static boolean isRoot() throws IOException {
        return Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    }

    private static Set<String> allowedSkips() throws IOException {
        try (InputStream in = CsiSanityIT.class.getResourceAsStream("/csi-sanity-skips.txt")) {
            assertThat(in).isNotNull();
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .collect(Collectors.toUnmodifiableSet());
        }
    }

    private static String tail(Path log) {
        try {
            List<String> lines = Files.readAllLines(log);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 200), lines.size()));
        } catch (IOException e) {
            return e.toString();
        }
    }

    private record Report(Set<String> failed, Set<String> skipped) {
        static Report read(Path file) throws Exception {
            Report report = new Report(new TreeSet<>(), new TreeSet<>());
            File xml = file.toFile();
            Document document =
                    DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(xml);
            NodeList cases = document.getElementsByTagName("testcase");
            for (int i = 0; i < cases.getLength(); i++) {
                Element test = (Element) cases.item(i);
                switch (test.getAttribute("status")) {
                    case "passed" -> {}
                    case "skipped", "pending" -> report.skipped.add(test.getAttribute("name"));
                    default -> report.failed.add(test.getAttribute("name"));
                }
            }
            return report;
        }
    }
}
