package io.gabion.csi.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Says on the device itself that a file system is being made on it. A volume that was written to is never formatted; but making a
 * file system writes long before its signature is there, so that a crash in between would leave a volume that nobody may ever
 * use. The mark fills the last block before anything else is written, and only this driver writes it: a device without a
 * signature but with the mark never held anything of a user.
 */
final class FormatMark {
    private static final int BLOCK_BYTES = 4096;
    private static final String TEXT = "gabion: a file system is being made on this volume\n";
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final HostCommands commands;

    FormatMark(HostCommands commands) {
        this.commands = commands;
    }

    void set(Path device, long sizeBytes) {
        write(device, sizeBytes, content());
    }

    boolean isSet(Path device, long sizeBytes) {
        String last = commands.runOrFail(
                LIMIT,
                List.of(
                        "dd",
                        "if=" + device,
                        "bs=" + BLOCK_BYTES,
                        "skip=" + lastBlock(sizeBytes),
                        "count=1",
                        "status=none"));
        return last.equals(content());
    }

    /** Called between making and mounting: what the file system put there itself stays. */
    void clear(Path device, long sizeBytes) {
        if (isSet(device, sizeBytes)) {
            write(device, sizeBytes, "\0".repeat(BLOCK_BYTES));
        }
    }

    private void write(Path device, long sizeBytes, String content) {
        Path source = null;
        try {
            source = Files.createTempFile("gabion-block", "");
            Files.writeString(source, content, StandardCharsets.US_ASCII);
            commands.runOrFail(
                    LIMIT,
                    List.of(
                            "dd",
                            "if=" + source,
                            "of=" + device,
                            "bs=" + BLOCK_BYTES,
                            "seek=" + lastBlock(sizeBytes),
                            "count=1",
                            "conv=fsync,notrunc",
                            "status=none"));
        } catch (IOException e) {
            throw new HostCommandException("cannot write a temporary file: " + e.getMessage(), e);
        } finally {
            remove(source);
        }
    }

    private static void remove(@Nullable Path file) {
        if (file == null) {
            return;
        }
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // One block in the directory of temporary files; nothing depends on it.
            return;
        }
    }

    private static long lastBlock(long sizeBytes) {
        return sizeBytes / BLOCK_BYTES - 1;
    }

    private static String content() {
        return TEXT.repeat(BLOCK_BYTES / TEXT.length() + 1).substring(0, BLOCK_BYTES);
    }
}
