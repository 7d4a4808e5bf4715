package io.gabion.e2e;

import java.time.Duration;
import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** fio as an independent witness in a pod: random writes, each read back and compared by checksum, in rounds until {@link #finish}. */
public final class FioVerify {
    private static final Duration ENDS = Duration.ofMinutes(2);
    /** As in {@code clat (usec): min=305, max=5202k, …}. */
    private static final Pattern LONGEST =
            Pattern.compile("clat \\(([num]sec)\\): min=[^,]*, max= *([0-9.]+)([kMG]?),");

    private final ToolPod pod;

    private FioVerify(ToolPod pod) {
        this.pod = pod;
    }

    /** Starts the rounds in the background of the pod. */
    public static FioVerify start(ToolPod pod, int mebibytes) {
        String file = pod.claim().block() ? "/dev/volume" : "/data/fio";
        pod.run("""
                rm -f /tmp/fio.*
                cat > /tmp/fio.sh <<'SCRIPT'
                while [ ! -e /tmp/fio.stop ]; do
                  fio --name=verify --filename=%s --size=%dm --ioengine=libaio --direct=1 --rw=randwrite --bs=4k --iodepth=8 \
                    --verify=crc32c --do_verify=1 --verify_fatal=1 --verify_backlog=256 --verify_state_save=0 --randrepeat=0 || break
                  echo round >> /tmp/fio.rounds
                done
                [ -e /tmp/fio.stop ] && [ "$(tail -n 1 /tmp/fio.rounds)" = round ] && echo passed > /tmp/fio.result || echo failed > /tmp/fio.result
                SCRIPT
                setsid sh /tmp/fio.sh > /tmp/fio.log 2>&1 < /dev/null &
                """.formatted(file, mebibytes));
        return new FioVerify(pod);
    }

    /** Completed rounds. */
    public int rounds() {
        return Integer.parseInt(pod.run("cat /tmp/fio.rounds 2>/dev/null | wc -l"));
    }

    /** Fails when it met an error already. */
    public void check() {
        String result = pod.run("cat /tmp/fio.result 2>/dev/null || true");
        if (!result.isEmpty()) {
            throw new AssertionError("fio ended early: " + pod.run("tail -n 30 /tmp/fio.log"));
        }
    }

    /** Waits until the round under way ends; fails at any error. Returns the number of rounds. */
    public int finish() {
        check();
        pod.run("touch /tmp/fio.stop");
        String[] result = {""};
        Waiting.until(
                "fio ends its round",
                ENDS,
                () -> {
                    result[0] = pod.run("cat /tmp/fio.result 2>/dev/null || true");
                    return !result[0].isEmpty();
                },
                () -> pod.run("tail -n 5 /tmp/fio.log"));
        if (!result[0].equals("passed")) {
            throw new AssertionError("fio found an error: " + pod.run("tail -n 30 /tmp/fio.log"));
        }
        return rounds();
    }

    /** The longest that any request of a completed round took: what a program on the volume saw of a failure. */
    public Duration longestPause() {
        Matcher found = LONGEST.matcher(pod.run("grep -h 'clat (' /tmp/fio.log || true"));
        return found.results()
                .map(m -> Duration.ofNanos(
                        (long) (Double.parseDouble(m.group(2)) * nanos(m.group(1)) * factor(m.group(3)))))
                .max(Comparator.naturalOrder())
                .orElse(Duration.ZERO);
    }

    private static double nanos(String unit) {
        return switch (unit) {
            case "nsec" -> 1;
            case "usec" -> 1e3;
            default -> 1e6;
        };
    }

    private static double factor(String suffix) {
        return switch (suffix) {
            case "k" -> 1e3;
            case "M" -> 1e6;
            case "G" -> 1e9;
            default -> 1;
        };
    }
}
