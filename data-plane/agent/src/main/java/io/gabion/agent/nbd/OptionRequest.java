package io.gabion.agent.nbd;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Data of the options that have any. Lengths inside are checked against what is there before anything is made of them.
 *
 * <pre>
 * INFO, GO:           u32 name length | name | u16 n | n x u16 information type
 * *_META_CONTEXT:     u32 name length | name | u32 n | n x (u32 length | query)
 * </pre>
 */
final class OptionRequest {
    private OptionRequest() {}

    record Go(String exportName, List<Integer> wanted) {}

    record MetaContext(String exportName, List<String> queries) {}

    /** Null where the data is malformed. */
    static @Nullable Go go(ByteBuf data) {
        String name = string(data);
        if (name == null || data.readableBytes() < Short.BYTES) {
            return null;
        }
        int count = data.readUnsignedShort();
        if (data.readableBytes() != count * Short.BYTES) {
            return null;
        }
        List<Integer> wanted = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            wanted.add(data.readUnsignedShort());
        }
        return new Go(name, wanted);
    }

    /** Null where the data is malformed. */
    static @Nullable MetaContext metaContext(ByteBuf data) {
        String name = string(data);
        if (name == null || data.readableBytes() < Integer.BYTES) {
            return null;
        }
        long count = data.readUnsignedInt();
        if (count > data.readableBytes() / Integer.BYTES) {
            return null;
        }
        List<String> queries = new ArrayList<>((int) count);
        for (int i = 0; i < count; i++) {
            String query = string(data);
            if (query == null) {
                return null;
            }
            queries.add(query);
        }
        return data.isReadable() ? null : new MetaContext(name, queries);
    }

    /** The rest of the data as a name; null where it is too long or not UTF-8. */
    static @Nullable String name(ByteBuf data) {
        return text(data, data.readableBytes());
    }

    private static @Nullable String string(ByteBuf data) {
        if (data.readableBytes() < Integer.BYTES) {
            return null;
        }
        long length = data.readUnsignedInt();
        return length > data.readableBytes() ? null : text(data, (int) length);
    }

    private static @Nullable String text(ByteBuf data, int length) {
        if (length > NbdProtocol.MAX_NAME_BYTES) {
            return null;
        }
        byte[] bytes = new byte[length];
        data.readBytes(bytes);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException notText) {
            return null;
        }
    }
}
