package io.gabion.agent.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RequestTableTest {
    @TempDir
    Path directory;

    /** What the kernel does when a slot's buffer is read into. */
    private static int arrives(RequestTable table, long unique) {
        int slot = table.take();
        MemorySegment buffer = table.buffer(slot);
        buffer.set(JAVA_INT_UNALIGNED, FuseProtocol.IN_LENGTH, FuseProtocol.IN_HEADER_BYTES);
        buffer.set(JAVA_INT_UNALIGNED, FuseProtocol.IN_OPERATION, FuseProtocol.FSYNC);
        buffer.set(JAVA_LONG_UNALIGNED, FuseProtocol.IN_UNIQUE, unique);
        return slot;
    }

    private static void isRead(RequestTable table, long unique) {
        table.read(arrives(table, unique), unique);
    }

    private Path file() {
        return directory.resolve("requests/one");
    }

    private List<RequestTable.Left> leftForTheNextProcess() throws IOException {
        return RequestTable.open(file()).orElseThrow().left();
    }

    @Test
    void whatIsNotAnsweredIsLeft() throws IOException {
        RequestTable table = RequestTable.create(file());
        isRead(table, 2);
        isRead(table, 4);
        isRead(table, 6);
        table.outcome(4, 5);
        table.outcome(6, 0);
        table.answered(6);
        assertThat(leftForTheNextProcess()).hasSize(2).anySatisfy(left -> {
            assertThat(FuseRequest.of(left.message()).unique()).isEqualTo(2);
            assertThat(left.errno()).isEmpty();
        });
        assertThat(leftForTheNextProcess()).anySatisfy(left -> {
            assertThat(FuseRequest.of(left.message()).unique()).isEqualTo(4);
            assertThat(left.errno()).hasValue(5);
        });
    }

    @Test
    void requestOfAProcessThatWasKilledAsSoonAsItHadReadIsLeft() throws IOException {
        RequestTable table = RequestTable.create(file());
        arrives(table, 8);
        // Another thread waits in its call; nothing arrived for it.
        table.take();
        assertThat(leftForTheNextProcess()).singleElement().satisfies(left -> assertThat(
                        FuseRequest.of(left.message()).unique())
                .isEqualTo(8));
    }

    @Test
    void usedSlotDoesNotShowWhatItHeldBefore() throws IOException {
        RequestTable table = RequestTable.create(file());
        isRead(table, 10);
        table.outcome(10, 0);
        table.answered(10);
        for (int i = 0; i < RequestTable.SLOTS; i++) {
            assertThat(table.take()).isNotNegative();
        }
        assertThat(leftForTheNextProcess()).isEmpty();
    }

    @Test
    void slotsAreBoundedAndComeBack() throws IOException {
        RequestTable table = RequestTable.create(file());
        Set<Integer> taken = new HashSet<>();
        for (int slot = table.take(); slot >= 0; slot = table.take()) {
            taken.add(slot);
        }
        assertThat(taken).hasSize(RequestTable.SLOTS);
        assertThat(table.hasFree()).isFalse();
        table.giveBack(3);
        assertThat(table.take()).isEqualTo(3);
        RequestTable next = RequestTable.open(file()).orElseThrow();
        assertThat(next.hasFree()).isTrue();
    }

    @Test
    void fileIsPrivateAndGoesWithTheConnection() throws IOException {
        RequestTable table = RequestTable.create(file());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
                .isEqualTo("rw-------");
        table.delete();
        assertThat(file()).doesNotExist();
        assertThat(RequestTable.open(file())).isEmpty();
    }
}
