package io.gabion.store.metadata;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/** Grows as it is written to; big-endian. The counterpart of {@link BinaryInput}. Not thread-safe. */
public final class BinaryOutput {
    private byte[] bytes;
    private int size;

    public BinaryOutput(int initialBytes) {
        bytes = new byte[Math.max(initialBytes, 16)];
    }

    public BinaryOutput putByte(int value) {
        ensure(1);
        bytes[size++] = (byte) value;
        return this;
    }

    public BinaryOutput putBoolean(boolean value) {
        return putByte(value ? 1 : 0);
    }

    public BinaryOutput putInt(int value) {
        ensure(4);
        bytes[size] = (byte) (value >>> 24);
        bytes[size + 1] = (byte) (value >>> 16);
        bytes[size + 2] = (byte) (value >>> 8);
        bytes[size + 3] = (byte) value;
        size += 4;
        return this;
    }

    public BinaryOutput putLong(long value) {
        putInt((int) (value >>> 32));
        return putInt((int) value);
    }

    public BinaryOutput putUuid(UUID value) {
        return putLong(value.getMostSignificantBits()).putLong(value.getLeastSignificantBits());
    }

    public BinaryOutput putBytes(byte[] value) {
        ensure(value.length);
        System.arraycopy(value, 0, bytes, size, value.length);
        size += value.length;
        return this;
    }

    /** Length (4 bytes), then UTF-8. */
    public BinaryOutput putString(String value) {
        byte[] encoded = value.getBytes(StandardCharsets.UTF_8);
        return putInt(encoded.length).putBytes(encoded);
    }

    /** Overwrites four bytes written before. */
    public void setInt(int at, int value) {
        int end = size;
        size = at;
        putInt(value);
        size = end;
    }

    public int size() {
        return size;
    }

    /** The array behind; valid up to {@link #size()} until the next write. */
    public byte[] array() {
        return bytes;
    }

    public byte[] toBytes() {
        return Arrays.copyOf(bytes, size);
    }

    public void clear() {
        size = 0;
    }

    private void ensure(int more) {
        if (size + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
        }
    }
}
