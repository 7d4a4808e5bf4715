package io.gabion.store.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.message.RequestId;
import io.gabion.model.ByteRange;
import io.gabion.model.DiskId;
import io.gabion.model.Lsn;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import io.gabion.store.metadata.BinaryInput;
import io.gabion.store.metadata.BinaryOutput;
import io.gabion.store.metadata.MalformedMetadataException;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class LogFormatTest {
    private static final VolumeId VOLUME = new VolumeId(new UUID(1, 2));
    private static final DiskId DISK = new DiskId(new UUID(3, 4));
    private static final UUID SALT = new UUID(5, 6);

    private static byte[] encoded(StoredRecord record) {
        BinaryOutput out = new BinaryOutput(64);
        StoredRecordCodec.encode(record, out);
        return out.toBytes();
    }

    @Test
    void writtenRecordHasItsBytesForEver() {
        StoredRecord record = new StoredRecord.Written(
                VOLUME,
                new Lsn(3, 9),
                new Lsn(3, 7),
                new ByteRange(4096, 8192),
                new RequestId(2, 11),
                List.of(new Piece(77, new int[] {0x01020304, 0x0a0b0c0d})));
        assertThat(HexFormat.of().formatHex(encoded(record)))
                .isEqualTo("01" + "0000000000000001" + "0000000000000002" + "0000000000000003" + "0000000000000009"
                        + "0000000000000003" + "0000000000000007" + "0000000000001000" + "0000000000002000"
                        + "0000000000000002" + "000000000000000b" + "00000001" + "00" + "000000000000004d"
                        + "00000002" + "01020304" + "0a0b0c0d");
    }

    @Test
    void recordsSurviveEncodingAndDecoding() {
        List<StoredRecord> records = List.of(
                new StoredRecord.Trimmed(VOLUME, new Lsn(1, 2), Lsn.ZERO, new ByteRange(0, 4096), RequestId.NONE),
                new StoredRecord.SessionOpened(VOLUME, new Lsn(1, 3), new SessionId(1, 2, new UUID(8, 9))),
                new StoredRecord.Grown(VOLUME, new Lsn(1, 4), 1L << 40),
                new StoredRecord.Marked(VOLUME, new Lsn(1, 5)),
                new StoredRecord.Copied(VOLUME, 7, List.of(new StoredRecord.CopiedRun(9, 3, new Lsn(1, 1), List.of()))),
                new StoredRecord.CopiedUnder(
                        VOLUME, 7, new Lsn(6, 2), List.of(new StoredRecord.CopiedRun(9, 3, new Lsn(1, 1), List.of()))),
                new StoredRecord.ReplicaDeleted(VOLUME),
                new StoredRecord.SnapshotTaken(VOLUME, new Lsn(1, 6), 3),
                new StoredRecord.SnapshotDeleted(VOLUME, new Lsn(1, 7), 3));
        for (StoredRecord record : records) {
            assertThat(StoredRecordCodec.decode(new BinaryInput(encoded(record))))
                    .isEqualTo(record);
        }
    }

    @Test
    void damagedRecordsAreRefusedWithoutHugeAllocations() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        byte[] good = encoded(new StoredRecord.Copied(
                VOLUME,
                7,
                List.of(new StoredRecord.CopiedRun(9, 3, new Lsn(1, 1), List.of(new Piece(5, new int[] {1, 2, 3}))))));
        for (int i = 0; i < 20_000; i++) {
            byte[] bad = java.util.Arrays.copyOf(good, 1 + random.nextInt(good.length));
            for (int n = 0; n < 3; n++) {
                bad[random.nextInt(bad.length)] = (byte) random.nextInt();
            }
            try {
                StoredRecordCodec.decode(new BinaryInput(bad));
            } catch (MalformedMetadataException | IllegalArgumentException expected) {
                assertThat(expected).as("seed " + seed).isNotNull();
            }
        }
    }

    @Test
    void headerHasItsOffsetsForEverAndAnySingleBitFlipIsFound() {
        ByteBuffer block = ByteBuffer.allocate(4096);
        BatchHeader header = new BatchHeader(DISK, 42, 3, 0x11223344, 0, 0, 5, 41, 100, 7, 900, 64);
        int checksum = header.encode(block, SALT);
        assertThat(block.getLong(0)).isEqualTo(0x47424e4241544348L);
        assertThat(block.getInt(8)).isEqualTo(checksum);
        assertThat(block.getLong(32)).isEqualTo(42);
        assertThat(block.getLong(64)).isEqualTo(41);
        assertThat(block.getLong(72)).isEqualTo(100);
        assertThat(block.getLong(84)).isEqualTo(900);
        assertThat(BatchHeader.decode(block, DISK)).contains(header);
        assertThat(BatchHeader.decode(block, new DiskId(new UUID(3, 5)))).isEmpty();
        assertThat(BatchHeader.checksum(block, 0, new UUID(5, 7))).isNotEqualTo(checksum);
        for (int bit = 12 * 8; bit < BatchHeader.FIXED_BYTES * 8; bit++) {
            block.put(bit / 8, (byte) (block.get(bit / 8) ^ (1 << (bit % 8))));
            assertThat(BatchHeader.checksum(block, 0, SALT)).isNotEqualTo(checksum);
            block.put(bit / 8, (byte) (block.get(bit / 8) ^ (1 << (bit % 8))));
        }
    }
}
