package io.gabion.node.configstore;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class SwapQueueTest {
    private final AtomicLong now = new AtomicLong();
    private final List<Runnable> timers = new ArrayList<>();
    private final List<String> done = new ArrayList<>();
    private final SwapQueue queue = new SwapQueue(now::get, (delay, task) -> timers.add(task));

    private void fireTimers() {
        List<Runnable> due = List.copyOf(timers);
        timers.clear();
        due.forEach(Runnable::run);
    }

    @Test
    void burstGoesAtOnceAndTheRestAtTheRate() {
        for (int i = 0; i < SwapQueue.SWAPS_PER_SECOND + 10; i++) {
            queue.submit(false, () -> done.add("swap"));
        }
        assertThat(done).hasSize(SwapQueue.SWAPS_PER_SECOND);
        assertThat(queue.waiting()).isEqualTo(10);
        assertThat(timers).hasSize(1);
        now.addAndGet(TimeUnit.SECONDS.toNanos(1) / SwapQueue.SWAPS_PER_SECOND * 4);
        fireTimers();
        assertThat(done).hasSize(SwapQueue.SWAPS_PER_SECOND + 4);
        now.addAndGet(TimeUnit.SECONDS.toNanos(10));
        fireTimers();
        assertThat(queue.waiting()).isZero();
    }

    @Test
    void swapsWithWaitingInputOutputGoFirst() {
        for (int i = 0; i < SwapQueue.SWAPS_PER_SECOND; i++) {
            queue.submit(false, () -> {});
        }
        queue.submit(false, () -> done.add("ordinary 1"));
        queue.submit(false, () -> done.add("ordinary 2"));
        queue.submit(true, () -> done.add("urgent"));
        now.addAndGet(TimeUnit.SECONDS.toNanos(1));
        fireTimers();
        assertThat(done).containsExactly("urgent", "ordinary 1", "ordinary 2");
    }

    @Test
    void nothingIsScheduledWhileIdle() {
        queue.submit(true, () -> done.add("swap"));
        assertThat(done).containsExactly("swap");
        assertThat(timers).isEmpty();
    }
}
