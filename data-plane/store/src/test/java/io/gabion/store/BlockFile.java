package io.gabion.store;

import io.gabion.store.device.DeviceFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Random;

/** A data file in memory: what was never written reads as zeros. What a sync does is its subclass's business. */
abstract class BlockFile implements DeviceFile {
    static final int BLOCK = 4096;
    private static final int SECTOR = 512;

    private final Object lock;
    private final Map<Long, byte[]> content;

    /**
     * @param lock guards {@code content}
     * @param content by number of the block; replaced as a whole, never changed in place
     */
    BlockFile(Object lock, Map<Long, byte[]> content) {
        this.lock = lock;
        this.content = content;
    }

    /** Called with the lock held for each block that was written. */
    abstract void written(long block, byte[] bytes);

    /** Called with the lock held for each block that is about to be read. */
    void reading(long block) throws IOException {}

    @Override
    public final void read(long position, ByteBuffer target) throws IOException {
        synchronized (lock) {
            for (long block = position / BLOCK; target.hasRemaining(); block++) {
                reading(block);
                target.put(content.getOrDefault(block, new byte[BLOCK]));
            }
        }
    }

    @Override
    public final void write(long position, ByteBuffer source) {
        synchronized (lock) {
            for (long block = position / BLOCK; source.hasRemaining(); block++) {
                byte[] bytes = new byte[BLOCK];
                source.get(bytes);
                content.put(block, bytes);
                written(block, bytes);
            }
        }
    }

    @Override
    public final void close() {}

    /** A block of which the power cut left some sectors new and some old. */
    static byte[] torn(byte[] older, byte[] newer, Random random) {
        byte[] torn = older.clone();
        for (int sector = 0; sector < BLOCK / SECTOR; sector++) {
            if (random.nextBoolean()) {
                System.arraycopy(newer, sector * SECTOR, torn, sector * SECTOR, SECTOR);
            }
        }
        return torn;
    }
}
