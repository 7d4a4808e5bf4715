package io.gabion.simulator.checker;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.simulator.checker.RegisterHistory.Entry;
import org.junit.jupiter.api.Test;

class RegisterHistoryTest {
    private final RegisterHistory history = new RegisterHistory(7);
    private long now;

    private Entry write(long value) {
        return history.beginWrite(value, "write", now++);
    }

    private void read(long value) {
        history.endRead(history.beginRead("read", now++), value, now++);
    }

    private void end(Entry write) {
        history.endWrite(write, now++);
    }

    @Test
    void readAfterWriteReturnsIt() {
        end(write(1));
        read(1);
        assertThat(history.check()).isEmpty();
    }

    @Test
    void lostWriteIsFound() {
        end(write(1));
        end(write(2));
        read(1);
        assertThat(history.check()).isPresent();
    }

    @Test
    void concurrentWriteMayBeSeenOrNot() {
        end(write(1));
        Entry open = write(2);
        read(1);
        read(2);
        end(open);
        read(2);
        assertThat(history.check()).isEmpty();
    }

    @Test
    void valueNeverGoesBack() {
        end(write(1));
        Entry open = write(2);
        read(2);
        read(1);
        end(open);
        assertThat(history.check()).isPresent();
    }

    @Test
    void requestAppliedTwiceIsFound() {
        Entry first = write(1);
        read(1);
        end(write(2));
        read(2);
        read(1);
        end(first);
        assertThat(history.check()).isPresent();
    }

    @Test
    void abandonedWriteTakesEffectBeforeItsEndOrNever() {
        end(write(1));
        Entry lost = write(2);
        read(1);
        history.abandon(lost, now++);
        read(1);
        assertThat(history.check()).isEmpty();
        read(2);
        assertThat(history.check()).isPresent();
    }

    @Test
    void zerosOfTwoTrimsAreToldApartByTheirTimes() {
        end(write(1));
        end(write(0));
        end(write(2));
        read(0);
        assertThat(history.check()).isPresent();
    }

    @Test
    void concurrentReadsMayStraddleAWrite() {
        end(write(1));
        Entry read = history.beginRead("slow read", now++);
        end(write(2));
        end(write(3));
        history.endRead(read, 2, now++);
        read(3);
        assertThat(history.check()).isEmpty();
    }
}
