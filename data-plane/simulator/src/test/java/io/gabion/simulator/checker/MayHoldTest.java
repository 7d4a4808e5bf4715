package io.gabion.simulator.checker;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.simulator.checker.RegisterHistory.Span;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When a block may have held a value: what tells whether all blocks of a snapshot are of one moment. */
class MayHoldTest {
    private final RegisterHistory block = new RegisterHistory(1);

    private void write(long value, long from, long to) {
        block.endWrite(block.beginWrite(value, "write", from), to);
    }

    @Test
    void valueIsThereFromTheBeginOfItsWriteToTheEndOfALaterOne() {
        write(7, 10, 20);
        write(8, 30, 40);
        assertThat(block.mayHold(7)).containsExactly(new Span(10, 40));
        assertThat(block.mayHold(8)).containsExactly(new Span(30, Long.MAX_VALUE));
    }

    @Test
    void writesAtTheSameTimeMayComeInAnyOrder() {
        write(7, 10, 20);
        write(8, 15, 25);
        assertThat(block.mayHold(7)).containsExactly(new Span(10, Long.MAX_VALUE));
    }

    @Test
    void zerosAreThereAtTheBeginAndAfterEachTrim() {
        write(7, 10, 20);
        write(0, 30, 40);
        assertThat(block.mayHold(0)).containsExactly(new Span(0, 20), new Span(30, Long.MAX_VALUE));
    }

    @Test
    void writeWithoutAnAnswerEndsNothing() {
        write(7, 10, 20);
        block.abandon(block.beginWrite(8, "write", 30), 40);
        assertThat(block.mayHold(7)).containsExactly(new Span(10, Long.MAX_VALUE));
        assertThat(block.mayHold(9)).isEmpty();
    }

    @Test
    void timesInCommonArePiecewise() {
        assertThat(Span.common(List.of(new Span(0, 20), new Span(30, 50)), List.of(new Span(10, 35), new Span(50, 60))))
                .containsExactly(new Span(10, 20), new Span(30, 35), new Span(50, 50));
    }
}
