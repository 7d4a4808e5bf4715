package io.gabion.faults.powerloss;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.FlushOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;

/** A real RocksDB survives cuts as far as it synced, and no further. */
@Timeout(60)
class RocksDbOnPowerLossIT {
    private static final int KEYS = 200;

    @TempDir
    private Path directory;

    private MountedDisk disk;

    @BeforeEach
    void mount() throws IOException {
        RocksDB.loadLibrary();
        disk = new MountedDisk(directory);
    }

    @AfterEach
    void unmount() {
        disk.close();
    }

    @Test
    void syncedWritesSurviveEveryCut() throws IOException, RocksDBException {
        for (int seed = 0; seed < 8; seed++) {
            try (Options options = options();
                    WriteOptions synced = new WriteOptions().setSync(true);
                    RocksDB database = RocksDB.open(options, index())) {
                for (int round = 0; round <= seed; round++) {
                    assertThat(found(database, round)).isEqualTo(round < seed ? KEYS : 0);
                }
                put(database, synced, seed);
                if (seed % 3 == 0) {
                    try (FlushOptions flush = new FlushOptions()) {
                        database.flush(flush);
                    }
                }
                disk.fileSystem.cut(seed);
            }
        }
    }

    @Test
    void unsyncedWritesAreLostInSomeCutsAndTheDatabaseOpens() throws IOException, RocksDBException {
        int lost = 0;
        for (int seed = 0; seed < 8; seed++) {
            try (Options options = options();
                    WriteOptions unsynced = new WriteOptions();
                    RocksDB database = RocksDB.open(options, index())) {
                put(database, unsynced, seed);
                assertThat(found(database, seed)).isEqualTo(KEYS);
                disk.fileSystem.cut(seed);
            }
            try (Options options = options();
                    RocksDB database = RocksDB.open(options, index())) {
                lost += found(database, seed) < KEYS ? 1 : 0;
            }
        }
        assertThat(lost).isPositive();
    }

    @Test
    void flushedTablesSurviveWithoutAnyLog() throws IOException, RocksDBException {
        for (int seed = 0; seed < 6; seed++) {
            try (Options options = options();
                    WriteOptions noLog = new WriteOptions().setDisableWAL(true);
                    FlushOptions flush = new FlushOptions().setWaitForFlush(true);
                    RocksDB database = RocksDB.open(options, index())) {
                for (int round = 0; round < seed; round++) {
                    assertThat(found(database, round)).isEqualTo(KEYS);
                }
                put(database, noLog, seed);
                database.flush(flush);
                put(database, noLog, 1000 + seed);
                disk.fileSystem.cut(seed);
            }
        }
    }

    @Test
    void aStubbedSyncLosesWhatRocksDbBelievesToBeSafe() throws IOException, RocksDBException {
        boolean damaged = false;
        for (int seed = 0; seed < 8 && !damaged; seed++) {
            try (Options options = options();
                    WriteOptions synced = new WriteOptions().setSync(true);
                    RocksDB database = RocksDB.open(options, index())) {
                disk.fileSystem.faults().ignoreSync(true);
                put(database, synced, seed);
                disk.fileSystem.cut(seed);
            }
            disk.fileSystem.faults().ignoreSync(false);
            try (Options options = options();
                    RocksDB database = RocksDB.open(options, index())) {
                damaged = found(database, seed) < KEYS;
            } catch (RocksDBException e) {
                damaged = true;
            }
        }
        assertThat(damaged).isTrue();
    }

    private static Options options() {
        return new Options().setCreateIfMissing(true);
    }

    private String index() throws IOException {
        return Files.createDirectories(disk.path("index")).toString();
    }

    private static byte[] key(int round, int number) {
        return (round + "/" + number).getBytes(StandardCharsets.UTF_8);
    }

    private static void put(RocksDB database, WriteOptions options, int round) throws RocksDBException {
        for (int i = 0; i < KEYS; i++) {
            database.put(options, key(round, i), ("value " + round).repeat(20).getBytes(StandardCharsets.UTF_8));
        }
    }

    private static int found(RocksDB database, int round) throws RocksDBException {
        int found = 0;
        for (int i = 0; i < KEYS; i++) {
            found += database.get(key(round, i)) == null ? 0 : 1;
        }
        return found;
    }
}
