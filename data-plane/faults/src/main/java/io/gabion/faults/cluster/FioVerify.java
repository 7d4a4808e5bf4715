package io.gabion.faults.cluster;

import io.gabion.faults.nbd.NbdAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * fio as an independent witness: random writes over NBD, each read back and compared by checksum, again and again until
 * {@link #finish}. Ends at the first error.
 */
public final class FioVerify implements AutoCloseable {
    private final Path output;
    private final List<String> command;
    private final AtomicBoolean stopping = new AtomicBoolean();
    private final AtomicLong rounds = new AtomicLong();
    private final Thread thread;
    private volatile @Nullable Process process;
    private volatile String failure = "";

    private FioVerify(NbdAddress address, Path output, int mebibytes, int queueDepth) {
        this.output = output;
        this.command = List.of(
                "fio",
                "--name=verify",
                "--ioengine=nbd",
                "--uri=" + address.uri(),
                "--rw=randwrite",
                "--bs=4k",
                "--iodepth=" + queueDepth,
                String.format(Locale.ROOT, "--size=%dm", mebibytes),
                "--verify=crc32c",
                "--do_verify=1",
                "--verify_fatal=1",
                "--verify_state_save=0",
                "--verify_backlog=1024",
                "--randrepeat=0",
                "--thread");
        this.thread = Thread.ofPlatform().daemon().name("fio").unstarted(this::run);
    }

    /**
     * Starts rounds of writing and verifying.
     *
     * @param output file that gets what fio says
     * @param mebibytes written and read back in each round
     */
    public static FioVerify start(NbdAddress address, Path output, int mebibytes, int queueDepth) {
        FioVerify fio = new FioVerify(address, output, mebibytes, queueDepth);
        fio.thread.start();
        return fio;
    }

    private void run() {
        try {
            Files.createDirectories(output.toAbsolutePath().getParent());
            while (!stopping.get() && failure.isEmpty()) {
                Process round = new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
                        .start();
                process = round;
                int exit = round.waitFor();
                if (exit == 0) {
                    rounds.incrementAndGet();
                } else if (!stopping.get()) {
                    failure = "fio ended with exit code " + exit + ", see " + output;
                }
            }
        } catch (IOException e) {
            failure = e.toString();
        } catch (InterruptedException e) {
            failure = "interrupted";
        }
    }

    /** Empty while all is well. */
    public String failure() {
        return failure;
    }

    /** Rounds written and verified without error. */
    public long rounds() {
        return rounds.get();
    }

    /** Lets the round under way end, with its verification, and returns its failure or an empty text. */
    public String finish() throws InterruptedException {
        stopping.set(true);
        Process last = process;
        thread.join();
        if (failure.isEmpty() && last != null && last.exitValue() != 0) {
            failure = "fio ended with exit code " + last.exitValue() + ", see " + output;
        }
        return failure;
    }

    @Override
    public void close() {
        stopping.set(true);
        Process last = process;
        if (last != null) {
            last.destroyForcibly();
        }
    }
}
