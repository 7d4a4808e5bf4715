package io.gabion.store.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.model.ClusterId;
import io.gabion.model.DiskId;
import io.gabion.model.NodeName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SuperblockTest {
    @TempDir
    Path directory;

    private static final Superblock FIRST = new Superblock(
            new ClusterId(new UUID(1, 1)),
            new DiskId(new UUID(2, 2)),
            new NodeName("node-1"),
            "fast",
            new UUID(3, 3),
            new UUID(4, 4),
            1,
            1,
            4096,
            0,
            false,
            false);

    @Test
    void survivesEncodingAndAnyFlippedByteIsFound() {
        byte[] bytes = FIRST.encode();
        assertThat(Superblock.decode(bytes)).contains(FIRST);
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] ^= 1;
            assertThat(Superblock.decode(bytes)).isEmpty();
            bytes[i] ^= 1;
        }
    }

    @Test
    void tornWriteLeavesThePredecessor() throws IOException {
        SuperblockSlots slots = new SuperblockSlots(directory);
        slots.write(FIRST);
        Superblock second = FIRST.opened(2, new UUID(9, 9), FIRST.node(), FIRST.pool());
        slots.write(second);
        assertThat(slots.newest()).contains(second);
        Path newest = directory.resolve("superblock.a");
        byte[] torn = Files.readAllBytes(newest);
        torn[100] ^= 8;
        Files.write(newest, torn);
        assertThat(slots.newest()).contains(FIRST);
    }

    @Test
    void versionOfTheFutureIsRefusedByName() {
        byte[] bytes = FIRST.encode();
        bytes[15] = 2;
        java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
        crc.update(bytes, 12, bytes.length - 12);
        java.nio.ByteBuffer.wrap(bytes).putInt(8, (int) crc.getValue());
        assertThatThrownBy(() -> Superblock.decode(bytes)).hasMessageContaining("version 2");
    }
}
