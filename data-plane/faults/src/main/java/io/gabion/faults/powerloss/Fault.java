package io.gabion.faults.powerloss;

import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Predicate;

/**
 * A fault to inject: which operations it meets and what it does to them. Read as a sentence:
 * {@code Fault.on(WRITE).matching(path -> path.endsWith("data")).after(3).times(1).fail(Errno.EIO)}.
 *
 * @param operations the kinds of operations it meets
 * @param path the files it meets, by path below the mount point without a leading slash
 * @param skip matching operations that pass unharmed first
 * @param times how many operations it meets after those
 * @param effect what it does to them
 */
public record Fault(Set<FileOperation> operations, Predicate<String> path, long skip, long times, FaultEffect effect) {

    /** Collects the conditions; an effect ends it. */
    public record Conditions(Set<FileOperation> operations, Predicate<String> path, long skip, long times) {
        public Conditions matching(Predicate<String> newPath) {
            return new Conditions(operations, newPath, skip, times);
        }

        public Conditions after(long newSkip) {
            return new Conditions(operations, path, newSkip, times);
        }

        public Conditions times(long newTimes) {
            return new Conditions(operations, path, skip, newTimes);
        }

        public Fault fail(int errno) {
            return with(new FaultEffect.Fail(errno));
        }

        public Fault delay(Duration duration) {
            return with(new FaultEffect.Delay(duration));
        }

        public Fault hang() {
            return with(new FaultEffect.Hang());
        }

        public Fault swallow() {
            return with(new FaultEffect.Swallow());
        }

        public Fault misdirect(long distanceBytes) {
            return with(new FaultEffect.Misdirect(distanceBytes));
        }

        public Fault flipBit() {
            return with(new FaultEffect.FlipBit());
        }

        public Fault with(FaultEffect effect) {
            return new Fault(operations, path, skip, times, effect);
        }
    }

    public static Conditions on(FileOperation first, FileOperation... more) {
        return new Conditions(EnumSet.of(first, more), path -> true, 0, Long.MAX_VALUE);
    }

    /** Meets every kind of operation. */
    public static Conditions onEverything() {
        return new Conditions(EnumSet.allOf(FileOperation.class), path -> true, 0, Long.MAX_VALUE);
    }
}
