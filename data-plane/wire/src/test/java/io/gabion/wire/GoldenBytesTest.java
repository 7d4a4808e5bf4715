package io.gabion.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/**
 * Version 1 of the protocol, byte by byte: header and body of every type. Payloads are not in the file; their checksums are.
 * The messages come from {@link Samples} with a fixed seed. {@code -Dio.gabion.wire.golden=write} makes the file anew: only
 * for a new type or a new version.
 */
class GoldenBytesTest {
    private static final Path FILE = Path.of("src", "test", "resources", "golden-version-1.hex");
    private static final long SEED = 20_261_121L;

    private static Map<String, Object> messages() {
        List<Object> all = new ArrayList<>();
        all.add(new ControlFrame.Introduction(new Hello(
                1,
                1,
                Role.AGENT,
                ClusterId.of("0198e0c4-7000-7000-8000-000000000001"),
                new NodeName("host-1"),
                new UUID(0x1122334455667788L, 0x99AABBCCDDEEFF00L),
                new UUID(3, 4),
                "0.1.0")));
        all.add(new ControlFrame.Welcome(1));
        all.add(new ControlFrame.Refused(Refusal.OTHER_CLUSTER, "other cluster"));
        all.add(new ControlFrame.Goodbye("stopping"));
        all.add(new ControlFrame.KeepAlive());
        all.addAll(new Samples(SEED, 2, 3).one());
        Map<String, Object> named = new LinkedHashMap<>();
        for (Object message : all) {
            String name = message.getClass().getSimpleName();
            for (int i = 2; named.containsKey(name); i++) {
                name = message.getClass().getSimpleName() + i;
            }
            named.put(name, message);
        }
        return named;
    }

    @Test
    void everyMessageHasItsGoldenBytes() throws IOException {
        Map<String, String> found = new LinkedHashMap<>();
        messages().forEach((name, message) -> found.put(name, ByteBufUtil.hexDump(Encoding.head(message))));
        if ("write".equals(System.getProperty("io.gabion.wire.golden"))) {
            List<String> lines = new ArrayList<>();
            found.forEach((name, hex) -> lines.add(name + " " + hex));
            Files.createDirectories(FILE.getParent());
            Files.write(FILE, lines);
        }
        Map<String, String> golden = new LinkedHashMap<>();
        for (String line : Files.readAllLines(FILE)) {
            golden.put(line.substring(0, line.indexOf(' ')), line.substring(line.indexOf(' ') + 1));
        }
        assertThat(found).isEqualTo(golden);
    }

    @Test
    void goldenBytesReadAsTheirMessages() throws IOException {
        Map<String, Object> messages = messages();
        for (String line : Files.readAllLines(FILE)) {
            Object expected = java.util.Objects.requireNonNull(messages.get(line.substring(0, line.indexOf(' '))));
            ByteBuf bytes = Encoding.whole(expected);
            byte[] head = ByteBufUtil.decodeHexDump(line.substring(line.indexOf(' ') + 1));
            bytes.setBytes(0, head);
            List<Object> found = Encoding.read(
                    UnpooledByteBufAllocator.DEFAULT, bytes, Encoding.rolesOf(expected), bytes.readableBytes());
            assertThat(found).hasSize(1);
            MessageEquality.assertSame(found.getFirst(), expected);
        }
    }

    @Test
    void everyFrameTypeHasGoldenBytes() {
        Set<FrameType> missing = EnumSet.allOf(FrameType.class);
        for (Object message : messages().values()) {
            missing.remove(FrameType.ofCode(Encoding.head(message).getByte(Frames.TYPE_AT)));
        }
        assertThat(missing).isEmpty();
    }
}
