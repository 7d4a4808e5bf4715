package io.gabion.configstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.model.ClusterId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BatchLogTest {
    private static final Change A = new Change.VolumePut(TestRecords.volume("a", "n1"));
    private static final Change B = new Change.VolumePut(TestRecords.volume("b", "n1"));
    private static final Change C =
            new Change.VolumeRemoved(TestRecords.volume("c", "n1").id());

    @TempDir
    Path directory;

    @Test
    void whatWasAppendedIsReplayedInOrder() throws IOException {
        write(List.of(A, B), List.of(C));
        assertThat(read()).containsExactly(A, B, C);
        write(List.of(A));
        assertThat(read()).containsExactly(A, B, C, A);
    }

    @Test
    void aLastBatchCutAtAnyByteIsRemovedAndTheLogGoesOn() throws IOException {
        write(List.of(A));
        long good = Files.size(file());
        write(List.of(B, C));
        byte[] whole = Files.readAllBytes(file());
        for (int length = (int) good; length < whole.length; length += 7) {
            Files.write(file(), Arrays.copyOf(whole, length));
            assertThat(read()).containsExactly(A);
            assertThat(Files.size(file())).isEqualTo(good);
            write(List.of(C));
            assertThat(read()).containsExactly(A, C);
        }
    }

    @Test
    void aLastBatchWithAWrongByteIsRemoved() throws IOException {
        write(List.of(A));
        int good = (int) Files.size(file());
        write(List.of(B, C));
        byte[] whole = Files.readAllBytes(file());
        for (int at = good; at < whole.length; at += 5) {
            byte[] torn = whole.clone();
            torn[at] ^= 0x40;
            Files.write(file(), torn);
            assertThat(read()).containsExactly(A);
        }
    }

    @Test
    void damageBeforeAReadableBatchRefusesToOpenWithPlaceAndRemedy() throws IOException {
        write(List.of(A));
        int middle = (int) Files.size(file());
        write(List.of(B), List.of(C));
        byte[] whole = Files.readAllBytes(file());
        for (int at : new int[] {middle, middle + 8, middle + 14, middle + 18, middle + 40}) {
            byte[] damaged = whole.clone();
            damaged[at] ^= 1;
            Files.write(file(), damaged);
            assertThatThrownBy(this::read)
                    .hasMessageContaining("damaged")
                    .hasMessageContaining("byte " + middle)
                    .hasMessageContaining("Restore");
            assertThat(Files.readAllBytes(file())).isEqualTo(damaged);
        }
    }

    @Test
    void aDamagedOrEmptyHeaderRefusesToOpen() throws IOException {
        write(List.of(A));
        byte[] whole = Files.readAllBytes(file());
        whole[3] ^= 1;
        Files.write(file(), whole);
        assertThatThrownBy(this::read).hasMessageContaining("header");
        Files.write(file(), new byte[0]);
        assertThatThrownBy(this::read).hasMessageContaining("header");
    }

    @Test
    void anotherClustersDirectoryIsRefused() throws IOException {
        write(List.of(A));
        assertThatThrownBy(() -> BatchLog.open(directory, new ClusterId(UUID.randomUUID()), _ -> {}))
                .hasMessageContaining("belongs to the cluster " + TestRecords.CLUSTER);
    }

    @Test
    void aDirectoryServesOneProcessAtATime() throws IOException {
        try (BatchLog held = BatchLog.open(directory, TestRecords.CLUSTER, _ -> {})) {
            assertThat(held.sizeBytes()).isPositive();
            assertThatThrownBy(this::read).hasMessageContaining("in use by another configuration store");
        }
    }

    @Test
    void compactionKeepsTheRecordsAndLaterBatches() throws IOException {
        try (BatchLog log = BatchLog.open(directory, TestRecords.CLUSTER, _ -> {})) {
            log.append(List.of(A));
            log.append(List.of(B));
            log.compact(List.of(B));
            log.append(List.of(C));
            log.append(List.of(A));
        }
        assertThat(read()).containsExactly(B, C, A);
        // A new file that a crash left behind is not the log.
        Files.write(directory.resolve("records.log.new"), new byte[100]);
        assertThat(read()).containsExactly(B, C, A);
    }

    private Path file() {
        return directory.resolve(BatchLog.FILE);
    }

    @SafeVarargs
    private final void write(List<Change>... batches) throws IOException {
        try (BatchLog log = BatchLog.open(directory, TestRecords.CLUSTER, _ -> {})) {
            for (List<Change> batch : batches) {
                log.append(batch);
            }
        }
    }

    private List<Change> read() throws IOException {
        List<Change> found = new ArrayList<>();
        BatchLog.open(directory, TestRecords.CLUSTER, found::add).close();
        return found;
    }
}
