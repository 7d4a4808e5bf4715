package io.gabion.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class CommandLineTest {
    private static final List<String> OPTIONS = List.of("--data", "--loops", "--backend", "--list");

    private static CommandLine parse(String... words) throws UsageException {
        return CommandLine.of(OPTIONS, Set.of("--kubernetes"), List.of(words));
    }

    private static void refused(ThrowingCallable call, String message) {
        assertThatThrownBy(call).isInstanceOf(UsageException.class).hasMessage(message);
    }

    @Test
    void bothWaysToWriteAnOptionAreRead() throws Exception {
        CommandLine line = parse("--data", "/d", "--loops=2", "--kubernetes", "--backend=a=b");
        assertThat(line.optional("--data", Path::of)).contains(Path.of("/d"));
        assertThat(line.optional("--loops", CommandLine.number(1, 4))).contains(2);
        assertThat(line.optional("--backend", text -> text)).contains("a=b");
        assertThat(line.has("--kubernetes")).isTrue();
        assertThat(line.optional("--list", text -> text)).isEmpty();
    }

    @Test
    void aMistakeInTheWordsNamesTheOption() {
        refused(() -> parse("--lops", "2"), "unknown option \"--lops\"; did you mean --loops?");
        refused(() -> parse("help"), "unknown option \"help\"; did you mean --list?");
        refused(() -> parse("--loops"), "--loops needs a value");
        refused(() -> parse("--loops", "--data"), "--loops needs a value");
        refused(() -> parse("--loops= "), "--loops needs a value");
        refused(() -> parse("--loops", "1", "--loops=2"), "--loops is given twice");
        refused(() -> parse("--kubernetes=yes"), "--kubernetes takes no value");
        refused(() -> parse().required("--data", Path::of), "--data is missing");
    }

    @Test
    void aMistakeInAValueSaysWhatItShouldBe() {
        refused(
                () -> parse("--loops=x").optional("--loops", CommandLine.number(1, 4)),
                "--loops \"x\": must be a number from 1 to 4");
        refused(
                () -> parse("--loops=5").optional("--loops", CommandLine.number(1, 4)),
                "--loops \"5\": must be 1 to 4");
        refused(() -> parse("--loops=x").optional("--loops", Long::valueOf), "--loops \"x\": must be a number");
        refused(
                () -> parse("--backend=Ring").optional("--backend", CommandLine.oneOf(List.of("auto", "ring"))),
                "--backend \"Ring\": must be one of auto, ring; did you mean ring?");
        refused(
                () -> parse("--list=maybe").optional("--list", CommandLine.either("yes", "no")),
                "--list \"maybe\": must be yes or no");
    }

    @Test
    void variablesStandForOptionsThatAreNotGiven() throws Exception {
        Map<String, String> variables = Map.of("--data", "DATA", "--loops", "LOOPS", "--backend", "BACKEND");
        CommandLine line = parse("--loops=1").orElse(variables, Map.of("DATA", "/d ", "LOOPS", "2", "BACKEND", " "));
        assertThat(line.optional("--data", text -> text)).contains("/d");
        assertThat(line.optional("--loops", text -> text)).contains("1");
        assertThat(line.has("--backend")).isFalse();
    }
}
