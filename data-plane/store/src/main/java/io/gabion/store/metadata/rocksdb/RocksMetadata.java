package io.gabion.store.metadata.rocksdb;

import io.gabion.store.metadata.DamagedMetadataException;
import io.gabion.store.metadata.MetadataBatch;
import io.gabion.store.metadata.MetadataStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.CompressionType;
import org.rocksdb.FlushOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Snapshot;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * Metadata in RocksDB without its write-ahead log: the write log of the disk is the only thing that makes anything durable.
 * One column family, so that a flush is atomic by itself. Memory tables are so large that only checkpoints flush them.
 */
public final class RocksMetadata implements MetadataStore {
    /** Far more than the changes between two checkpoints. */
    private static final long WRITE_BUFFER_BYTES = 64L << 20;

    private static final int MAX_WRITE_BUFFERS = 4;
    private static final int BACKGROUND_JOBS = 2;
    private static final int MAX_OPEN_FILES = 512;
    private static final long MAX_INFO_LOG_BYTES = 1L << 20;
    private static final int KEPT_INFO_LOGS = 2;

    private final Options options;
    private final LRUCache cache;
    private final BloomFilter filter;
    private final WriteOptions writeOptions;
    private final FlushOptions startFlush;
    private final FlushOptions waitFlush;
    private final RocksDB db;

    private RocksMetadata(Path directory, long cacheBytes, boolean readOnly) throws RocksDBException {
        cache = new LRUCache(cacheBytes);
        filter = new BloomFilter(10);
        options = new Options()
                .setCreateIfMissing(!readOnly)
                .setWriteBufferSize(WRITE_BUFFER_BYTES)
                .setMaxWriteBufferNumber(MAX_WRITE_BUFFERS)
                .setMaxBackgroundJobs(BACKGROUND_JOBS)
                .setMaxOpenFiles(MAX_OPEN_FILES)
                .setParanoidChecks(true)
                .setAvoidFlushDuringShutdown(true)
                .setCompressionType(CompressionType.LZ4_COMPRESSION)
                .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
                .setMaxLogFileSize(MAX_INFO_LOG_BYTES)
                .setKeepLogFileNum(KEPT_INFO_LOGS)
                .setTableFormatConfig(new BlockBasedTableConfig()
                        .setBlockCache(cache)
                        .setFilterPolicy(filter)
                        .setCacheIndexAndFilterBlocks(true)
                        .setPinL0FilterAndIndexBlocksInCache(true)
                        .setBlockSize(16 * 1024));
        writeOptions = new WriteOptions().setDisableWAL(true);
        startFlush = new FlushOptions().setWaitForFlush(false).setAllowWriteStall(true);
        waitFlush = new FlushOptions().setWaitForFlush(true).setAllowWriteStall(true);
        db = readOnly
                ? RocksDB.openReadOnly(options, directory.toString())
                : RocksDB.open(options, directory.toString());
    }

    /** Opens or creates the index in {@code directory}. */
    public static RocksMetadata open(Path directory, long cacheBytes) throws IOException {
        Files.createDirectories(directory);
        return open(directory, cacheBytes, false);
    }

    /** Opens an existing index without changing a file. */
    public static RocksMetadata openReadOnly(Path directory, long cacheBytes) throws IOException {
        return open(directory, cacheBytes, true);
    }

    private static RocksMetadata open(Path directory, long cacheBytes, boolean readOnly) throws IOException {
        RocksDB.loadLibrary();
        try {
            return new RocksMetadata(directory, cacheBytes, readOnly);
        } catch (RocksDBException e) {
            throw new IOException(
                    "the index in " + directory + " cannot be opened (" + e.getMessage()
                            + "); if it is damaged, this disk must be formatted anew and its replicas rebuilt",
                    e);
        }
    }

    @Override
    public Optional<byte[]> get(byte[] key) {
        try {
            return Optional.ofNullable(db.get(key));
        } catch (RocksDBException e) {
            throw failed("read", e);
        }
    }

    @Override
    public void write(MetadataBatch batch) {
        try (WriteBatch nativeBatch = new WriteBatch(batch.toBytes())) {
            db.write(writeOptions, nativeBatch);
        } catch (RocksDBException e) {
            throw failed("write", e);
        }
    }

    @Override
    public MetadataCursor cursor() {
        ReadOptions readOptions = new ReadOptions();
        return new Cursor(db.newIterator(readOptions), readOptions, true);
    }

    @Override
    public MetadataView view() {
        Snapshot snapshot = db.getSnapshot();
        return new MetadataView() {
            @Override
            public MetadataCursor cursor() {
                ReadOptions readOptions =
                        new ReadOptions().setSnapshot(snapshot).setFillCache(false);
                return new Cursor(db.newIterator(readOptions), readOptions, false);
            }

            @Override
            public void close() {
                db.releaseSnapshot(snapshot);
                snapshot.close();
            }
        };
    }

    @Override
    public void startFlush() {
        try {
            db.flush(startFlush);
        } catch (RocksDBException e) {
            throw failed("flush", e);
        }
    }

    @Override
    public boolean flushPending() {
        try {
            if (db.getLongProperty("rocksdb.background-errors") != 0) {
                throw new UncheckedIOException(new IOException("the index could not be flushed: background error"));
            }
            return db.getLongProperty("rocksdb.num-immutable-mem-table") != 0;
        } catch (RocksDBException e) {
            throw failed("flush", e);
        }
    }

    @Override
    public void flush() {
        try {
            db.flush(waitFlush);
        } catch (RocksDBException e) {
            throw failed("flush", e);
        }
    }

    @Override
    public void close() {
        db.close();
        startFlush.close();
        waitFlush.close();
        writeOptions.close();
        options.close();
        filter.close();
        cache.close();
    }

    private static UncheckedIOException failed(String what, RocksDBException e) {
        String message = "index " + what + " failed: " + e.getMessage();
        Status status = e.getStatus();
        return status != null && status.getCode() == Status.Code.Corruption
                ? new DamagedMetadataException(message, e)
                : new UncheckedIOException(new IOException(message, e));
    }

    private static final class Cursor implements MetadataCursor {
        private final RocksIterator iterator;
        private final ReadOptions readOptions;
        private final boolean refreshes;
        private boolean used;

        Cursor(RocksIterator iterator, ReadOptions readOptions, boolean refreshes) {
            this.iterator = iterator;
            this.readOptions = readOptions;
            this.refreshes = refreshes;
        }

        private void refresh() {
            if (refreshes && used) {
                try {
                    iterator.refresh();
                } catch (RocksDBException e) {
                    throw failed("read", e);
                }
            }
            used = true;
        }

        @Override
        public void seek(byte[] key) {
            refresh();
            iterator.seek(key);
        }

        @Override
        public void seekBack(byte[] key) {
            refresh();
            iterator.seekForPrev(key);
        }

        @Override
        public boolean valid() {
            if (iterator.isValid()) {
                return true;
            }
            try {
                iterator.status();
                return false;
            } catch (RocksDBException e) {
                throw failed("read", e);
            }
        }

        @Override
        public byte[] key() {
            return iterator.key();
        }

        @Override
        public byte[] value() {
            return iterator.value();
        }

        @Override
        public void next() {
            iterator.next();
        }

        @Override
        public void previous() {
            iterator.prev();
        }

        @Override
        public void close() {
            iterator.close();
            readOptions.close();
        }
    }
}
