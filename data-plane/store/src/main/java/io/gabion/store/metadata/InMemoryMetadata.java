package io.gabion.store.metadata;

import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Metadata in memory, for simulators and crash tests: {@link #crash()} gives the state that a machine would find after losing
 * everything that was not flushed.
 */
public final class InMemoryMetadata implements MetadataStore {
    private NavigableMap<byte[], byte[]> present;
    private NavigableMap<byte[], byte[]> durable;

    public InMemoryMetadata() {
        this(new TreeMap<>(Arrays::compareUnsigned));
    }

    private InMemoryMetadata(NavigableMap<byte[], byte[]> content) {
        present = content;
        durable = copy(content);
    }

    /** What would be left after a crash now. */
    public synchronized InMemoryMetadata crash() {
        return new InMemoryMetadata(copy(durable));
    }

    @Override
    public synchronized Optional<byte[]> get(byte[] key) {
        return Optional.ofNullable(present.get(key));
    }

    @Override
    public synchronized void write(MetadataBatch batch) {
        batch.forEach(new MetadataBatch.Visitor() {
            @Override
            public void put(byte[] key, byte[] value) {
                present.put(key, value);
            }

            @Override
            public void delete(byte[] key) {
                present.remove(key);
            }
        });
    }

    @Override
    public MetadataCursor cursor() {
        return new Cursor(null);
    }

    @Override
    public synchronized MetadataView view() {
        NavigableMap<byte[], byte[]> frozen = copy(present);
        return new MetadataView() {
            @Override
            public MetadataCursor cursor() {
                return new Cursor(frozen);
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public void startFlush() {
        flush();
    }

    @Override
    public boolean flushPending() {
        return false;
    }

    @Override
    public synchronized void flush() {
        durable = copy(present);
    }

    @Override
    public void close() {}

    private static NavigableMap<byte[], byte[]> copy(NavigableMap<byte[], byte[]> map) {
        return new TreeMap<>(map);
    }

    private final class Cursor implements MetadataCursor {
        private final @Nullable NavigableMap<byte[], byte[]> frozen;
        private Map.@Nullable Entry<byte[], byte[]> entry;

        Cursor(@Nullable NavigableMap<byte[], byte[]> frozen) {
            this.frozen = frozen;
        }

        private NavigableMap<byte[], byte[]> map() {
            return frozen == null ? present : frozen;
        }

        @Override
        public void seek(byte[] key) {
            synchronized (InMemoryMetadata.this) {
                entry = map().ceilingEntry(key);
            }
        }

        @Override
        public void seekBack(byte[] key) {
            synchronized (InMemoryMetadata.this) {
                entry = map().floorEntry(key);
            }
        }

        @Override
        public boolean valid() {
            return entry != null;
        }

        private Map.Entry<byte[], byte[]> current() {
            Map.Entry<byte[], byte[]> current = entry;
            if (current == null) {
                throw new IllegalStateException("cursor is at the end");
            }
            return current;
        }

        @Override
        public byte[] key() {
            return current().getKey();
        }

        @Override
        public byte[] value() {
            return current().getValue();
        }

        @Override
        public void next() {
            synchronized (InMemoryMetadata.this) {
                entry = map().higherEntry(current().getKey());
            }
        }

        @Override
        public void previous() {
            synchronized (InMemoryMetadata.this) {
                entry = map().lowerEntry(current().getKey());
            }
        }

        @Override
        public void close() {}
    }
}
