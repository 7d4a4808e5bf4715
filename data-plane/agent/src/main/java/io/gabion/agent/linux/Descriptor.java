package io.gabion.agent.linux;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A file descriptor that somebody owns. Closing it while a call on it is under way would be a race with the next open: the
 * owner ends all use first.
 */
public final class Descriptor implements AutoCloseable {
    private final int number;
    private final AtomicBoolean closed = new AtomicBoolean();

    /** Takes over an open descriptor. */
    public Descriptor(int number) {
        if (number < 0) {
            throw new IllegalArgumentException("not a descriptor: " + number);
        }
        this.number = number;
    }

    /** Opens a file; throws {@link IOException} that names it. */
    public static Descriptor open(String path, int flags) throws IOException {
        return new Descriptor(
                Errno.check(SystemCalls.open(path, flags | SystemCalls.O_CLOEXEC), "cannot open " + path));
    }

    public int number() {
        return number;
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            var _ = SystemCalls.close(number);
        }
    }

    @Override
    public String toString() {
        return "descriptor " + number;
    }
}
