package io.gabion.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.store.CrashWorkload.Operation;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A few of the workloads that {@link CrashEnumeration} crashes everywhere, and the proof that it sees a fault. */
class CrashEnumerationTest {
    @TempDir
    Path directory;

    @Test
    void everyImageOfAFewWorkloadsHoldsWhatItMust() throws Exception {
        CrashEnumeration enumeration = new CrashEnumeration(directory, false);
        List<CrashWorkload> all = CrashEnumeration.allWorkloads(true);
        enumeration.run(
                all.stream()
                        .filter(workload -> all.indexOf(workload) % 293 == 0)
                        .toList(),
                1);
        assertThat(enumeration.failures()).isEmpty();
        assertThat(enumeration.images()).isGreaterThan(100);
    }

    @Test
    void aDiskThatDoesNotSyncIsFoundOut() throws Exception {
        CrashEnumeration enumeration = new CrashEnumeration(directory, true);
        List<Operation> operations = List.of(Operation.WRITE, Operation.OVERWRITE, Operation.TRIM);
        enumeration.run(List.of(new CrashWorkload(operations, false, 1)), 1);
        assertThat(enumeration.failures()).isNotEmpty();
    }
}
