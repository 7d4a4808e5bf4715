package io.gabion.wire;

import io.netty.buffer.ByteBuf;
import java.util.zip.CRC32C;

/** CRC32C over parts of buffers that belong to one loop. Not thread-safe; one per connection. */
final class Checksums {
    private final CRC32C crc = new CRC32C();

    int of(ByteBuf buffer, int index, int length) {
        crc.reset();
        if (buffer.hasArray()) {
            crc.update(buffer.array(), buffer.arrayOffset() + index, length);
        } else {
            crc.update(buffer.nioBuffer(index, length));
        }
        return (int) crc.getValue();
    }
}
