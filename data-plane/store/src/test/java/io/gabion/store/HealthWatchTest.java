package io.gabion.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.store.DiskHealth.State;
import io.gabion.store.extent.BlockAllocator;
import io.gabion.store.log.LogPosition;
import io.gabion.store.metadata.InMemoryMetadata;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HealthWatchTest {
    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    private final List<String> faults = new ArrayList<>();
    private long now = 1_000;
    private HealthWatch watch;

    @BeforeEach
    void begin() {
        Fault fault = new Fault((reason, beyondRepair) -> faults.add(reason));
        BlockAllocator allocator = new BlockAllocator(4096);
        DiskIndex index = new DiskIndex(new InMemoryMetadata(), allocator, 0, new LogPosition(0, 0, 0, 1, 2, 3, 1));
        watch = new HealthWatch(index, new StoreMetrics(), fault, InstantSource.system(), () -> now);
    }

    /** A window with so many writes, each of which takes that long. */
    private void window(int writes, Duration each) {
        for (int i = 0; i < writes; i++) {
            long operation = watch.begin();
            now += each.toNanos();
            watch.endOfWrite(operation);
            now -= each.toNanos();
        }
        now += HealthWatch.WINDOW.toNanos();
    }

    @Test
    void anOperationThatHangsIsGivenUp() {
        long first = watch.begin();
        watch.begin();
        now += 9 * SECOND;
        assertThat(watch.judge().state()).isEqualTo(State.ONLINE);
        assertThat(watch.judge().oldestOperationNanos()).isEqualTo(9 * SECOND);
        watch.end(first);
        now += SECOND;
        assertThat(faults).isEmpty();
        now += SECOND;
        assertThat(watch.judge().state()).isEqualTo(State.FAULTED);
        assertThat(faults).hasSize(1).first().asString().contains("hanging for 11000 ms");
    }

    @Test
    void slowWritesForLongMakeTheDiskSuspectUntilTheyAreFastAgain() {
        for (int i = 0; i < HealthWatch.SLOW_WINDOWS; i++) {
            assertThat(watch.judge().state()).isEqualTo(State.ONLINE);
            window(200, Duration.ofMillis(600));
        }
        assertThat(watch.judge().state()).isEqualTo(State.SUSPECT);
        assertThat(watch.judge().reasons().getFirst()).contains("longer than 500 ms for the last 30 s");
        window(200, Duration.ofMillis(3));
        assertThat(watch.judge().state()).isEqualTo(State.ONLINE);
    }

    @Test
    void aFewSlowWritesProveNothing() {
        for (int i = 0; i < 10; i++) {
            window(HealthWatch.LEAST_WRITES - 1, Duration.ofSeconds(1));
            assertThat(watch.judge().state()).isEqualTo(State.ONLINE);
        }
    }
}
