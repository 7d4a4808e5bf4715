package io.gabion.store.metadata;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/** Reads what {@link BinaryOutput} wrote; every length is checked before anything is allocated. */
public final class BinaryInput {
    private final byte[] bytes;
    private final int end;
    private int position;

    public BinaryInput(byte[] bytes) {
        this(bytes, 0, bytes.length);
    }

    public BinaryInput(byte[] bytes, int offset, int length) {
        this.bytes = bytes;
        this.position = offset;
        this.end = offset + length;
    }

    public int getByte() {
        require(1);
        return bytes[position++] & 0xff;
    }

    public boolean getBoolean() {
        return getByte() != 0;
    }

    public int getInt() {
        require(4);
        int value = ((bytes[position] & 0xff) << 24)
                | ((bytes[position + 1] & 0xff) << 16)
                | ((bytes[position + 2] & 0xff) << 8)
                | (bytes[position + 3] & 0xff);
        position += 4;
        return value;
    }

    public long getLong() {
        long high = getInt();
        return (high << 32) | (getInt() & 0xffff_ffffL);
    }

    public UUID getUuid() {
        long most = getLong();
        return new UUID(most, getLong());
    }

    public String getString() {
        int length = getCount(1);
        String value = new String(bytes, position, length, StandardCharsets.UTF_8);
        position += length;
        return value;
    }

    public byte[] getBytes(int length) {
        require(length);
        byte[] value = Arrays.copyOfRange(bytes, position, position + length);
        position += length;
        return value;
    }

    /** A count of items that take at least {@code bytesEach}: refused when the rest cannot hold them. */
    public int getCount(int bytesEach) {
        int count = getInt();
        if (count < 0 || count > (end - position) / bytesEach) {
            throw new MalformedMetadataException("count " + count + " does not fit in " + (end - position) + " bytes");
        }
        return count;
    }

    public int remaining() {
        return end - position;
    }

    public int position() {
        return position;
    }

    private void require(int length) {
        if (length < 0 || end - position < length) {
            throw new MalformedMetadataException("needs " + length + " bytes, has " + (end - position));
        }
    }
}
