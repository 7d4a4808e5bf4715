package io.gabion.store.metadata;

import java.util.Arrays;

/**
 * Changes that are applied together or not at all, in their order. Kept in the representation that RocksDB gives a write
 * batch, so that a batch crosses into native code in one piece:
 *
 * <pre>
 * sequence (8, zero) | count (4, little-endian) | per change: kind (1: put, 0: delete) varint key length, key [varint value length, value]
 * </pre>
 */
public final class MetadataBatch {
    private static final int HEADER_BYTES = 12;
    private static final int COUNT_AT = 8;

    private byte[] bytes = new byte[16 * 1024];
    private int size = HEADER_BYTES;
    private int count;

    public void put(byte[] key, byte[] value) {
        put(key, value, value.length);
    }

    public void put(byte[] key, byte[] value, int valueLength) {
        ensure(key.length + valueLength + 12);
        bytes[size++] = 1;
        putBytes(key, key.length);
        putBytes(value, valueLength);
        count++;
    }

    public void delete(byte[] key) {
        ensure(key.length + 12);
        bytes[size++] = 0;
        putBytes(key, key.length);
        count++;
    }

    public boolean isEmpty() {
        return count == 0;
    }

    public int sizeBytes() {
        return size;
    }

    public void clear() {
        size = HEADER_BYTES;
        count = 0;
        Arrays.fill(bytes, 0, HEADER_BYTES, (byte) 0);
    }

    /** The representation, a copy. */
    public byte[] toBytes() {
        byte[] copy = Arrays.copyOf(bytes, size);
        for (int i = 0; i < 4; i++) {
            copy[COUNT_AT + i] = (byte) (count >>> (8 * i));
        }
        return copy;
    }

    /** Takes the changes apart again, in order. */
    public void forEach(Visitor visitor) {
        int at = HEADER_BYTES;
        while (at < size) {
            boolean put = bytes[at++] == 1;
            int keyLength = varintAt(at);
            at += varintBytes(keyLength);
            byte[] key = Arrays.copyOfRange(bytes, at, at + keyLength);
            at += keyLength;
            if (put) {
                int valueLength = varintAt(at);
                at += varintBytes(valueLength);
                visitor.put(key, Arrays.copyOfRange(bytes, at, at + valueLength));
                at += valueLength;
            } else {
                visitor.delete(key);
            }
        }
    }

    /** Receives the changes of a batch. */
    public interface Visitor {
        void put(byte[] key, byte[] value);

        void delete(byte[] key);
    }

    private void putBytes(byte[] value, int length) {
        int rest = length;
        while (rest >= 0x80) {
            bytes[size++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        bytes[size++] = (byte) rest;
        System.arraycopy(value, 0, bytes, size, length);
        size += length;
    }

    private int varintAt(int at) {
        int value = 0;
        int shift = 0;
        int position = at;
        while (true) {
            byte b = bytes[position++];
            value |= (b & 0x7f) << shift;
            if (b >= 0) {
                return value;
            }
            shift += 7;
        }
    }

    private static int varintBytes(int value) {
        int length = 1;
        for (int rest = value >>> 7; rest != 0; rest >>>= 7) {
            length++;
        }
        return length;
    }

    private void ensure(int more) {
        if (size + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
        }
    }
}
