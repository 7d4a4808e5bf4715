package io.gabion.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.NodeMessage;
import io.gabion.core.message.Payload;
import io.gabion.model.BlockGeometry;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BadFramesTest {
    private static final Role[] NODES = {Role.NODE, Role.NODE};
    private static final Role[] AGENT_TO_NODE = {Role.AGENT, Role.NODE};
    private static final int ALL_AT_ONCE = Integer.MAX_VALUE;

    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false, true);

    @AfterEach
    void nothingLeaks() {
        assertThat(allocator.metric().usedHeapMemory() + allocator.metric().usedDirectMemory())
                .isZero();
    }

    private static ByteBuf heartbeat() {
        return Encoding.whole(new NodeMessage.Heartbeat(
                1, new UUID(1, 2), 3, List.of(new NodeMessage.PromisedEpoch(new Samples(1, 1, 1).volume(), 5))));
    }

    private static ByteBuf write() {
        return Encoding.whole(new Samples(2, 1, 1).write(1));
    }

    private ProtocolFault faultOf(ByteBuf bytes, Role[] roles) {
        WireFormatException refused = catchThrowableOfType(
                WireFormatException.class, () -> Encoding.read(allocator, bytes, roles, ALL_AT_ONCE));
        assertThat(refused).isNotNull();
        return refused.fault();
    }

    @Test
    void otherProtocolsAreRefusedAtTheFirstTwoBytes() {
        ByteBuf bytes = heartbeat();
        bytes.setBytes(0, "GET / HTTP/1.1\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        assertThat(faultOf(bytes, NODES)).isEqualTo(ProtocolFault.BAD_MAGIC);
    }

    @Test
    void aFlippedBitAnywhereInTheFrameIsFound() {
        for (int bit = 0; bit < heartbeat().readableBytes() * 8; bit++) {
            ByteBuf bytes = heartbeat();
            bytes.setByte(bit / 8, bytes.getByte(bit / 8) ^ (1 << (bit % 8)));
            assertThat(faultOf(bytes, NODES))
                    .isIn(ProtocolFault.BAD_MAGIC, ProtocolFault.BAD_HEADER_CHECKSUM, ProtocolFault.BAD_BODY_CHECKSUM);
        }
        ByteBuf bytes = write();
        bytes.setByte(bytes.writerIndex() - 1, bytes.getByte(bytes.writerIndex() - 1) ^ 1);
        assertThat(faultOf(bytes, AGENT_TO_NODE)).isEqualTo(ProtocolFault.BAD_PAYLOAD_CHECKSUM);
    }

    @Test
    void unknownTypesAndFlagsAreRefused() {
        ByteBuf bytes = heartbeat();
        bytes.setByte(Frames.TYPE_AT, 0xEE);
        Encoding.sealHeader(bytes);
        assertThat(faultOf(bytes, NODES)).isEqualTo(ProtocolFault.UNKNOWN_TYPE);
        ByteBuf flagged = heartbeat();
        flagged.setByte(Frames.FLAGS_AT, 1);
        Encoding.sealHeader(flagged);
        assertThat(faultOf(flagged, NODES)).isEqualTo(ProtocolFault.MALFORMED);
    }

    @Test
    void overlongLengthsAreRefusedByTheHeaderAloneAndNothingIsAllocatedForThem() {
        int[][] lengths = {
            {Frames.BODY_LENGTH_AT, Frames.LIST_BODY_BYTES + 1},
            {Frames.BODY_LENGTH_AT, -1},
            {Frames.BODY_LENGTH_AT, Integer.MAX_VALUE},
            {Frames.PAYLOAD_LENGTH_AT, 1},
            {Frames.PAYLOAD_LENGTH_AT, -1},
        };
        for (int[] length : lengths) {
            ByteBuf header = heartbeat().slice(0, Frames.HEADER_BYTES);
            header.setInt(length[0], length[1]);
            Encoding.sealHeader(header);
            assertThat(faultOf(header, NODES)).isEqualTo(ProtocolFault.TOO_LONG);
        }
        ByteBuf header = write().slice(0, Frames.HEADER_BYTES);
        header.setInt(Frames.PAYLOAD_LENGTH_AT, Frames.MAX_PAYLOAD_BYTES + 1);
        Encoding.sealHeader(header);
        assertThat(faultOf(header, AGENT_TO_NODE)).isEqualTo(ProtocolFault.TOO_LONG);
    }

    @Test
    void memoryFollowsTheBytesOfABodyThatArriveNotThoseThatAreAnnounced() {
        ByteBuf header = Encoding.head(new io.gabion.core.message.PeerMessage.RegionsAt(
                        new Samples(1, 1, 1).volume(), 1, new io.gabion.model.ReplicaId(new UUID(1, 2)), 1, List.of()))
                .slice(0, Frames.HEADER_BYTES);
        header.setInt(Frames.BODY_LENGTH_AT, Frames.TABLE_BODY_BYTES);
        Encoding.sealHeader(header);
        try (FrameReader reader = new FrameReader(allocator, _ -> {
            throw new AssertionError("no frame is complete");
        })) {
            reader.admit(Role.NODE, Role.NODE);
            reader.read(header);
            assertThat(allocator.metric().usedHeapMemory()).isLessThan(1024);
        }
    }

    @Test
    void countsBeyondTheLimitOrTheBodyAreRefused() {
        int countAt = Frames.HEADER_BYTES + 8 + 16 + 8;
        ByteBuf many = heartbeat();
        many.setInt(countAt, Frames.MAX_PROMISED + 1);
        Encoding.seal(many);
        assertThat(faultOf(many, NODES)).isEqualTo(ProtocolFault.TOO_LONG);
        ByteBuf negative = heartbeat();
        negative.setInt(countAt, -1);
        Encoding.seal(negative);
        assertThat(faultOf(negative, NODES)).isEqualTo(ProtocolFault.TOO_LONG);
        ByteBuf missing = heartbeat();
        missing.setInt(countAt, 2);
        Encoding.seal(missing);
        assertThat(faultOf(missing, NODES)).isEqualTo(ProtocolFault.MALFORMED);
        ByteBuf fewer = heartbeat();
        fewer.setInt(countAt, 0);
        Encoding.seal(fewer);
        assertThat(faultOf(fewer, NODES)).isEqualTo(ProtocolFault.MALFORMED);
    }

    @Test
    void readsLongerThanTheLongestIoAreRefused() {
        Samples samples = new Samples(3, 1, 1);
        ClientMessage.Write write = samples.write(1);
        ByteBuf read = Encoding.whole(new ClientMessage.Read(
                write.volume(),
                write.session(),
                write.request(),
                1,
                new io.gabion.model.ByteRange(0, BlockGeometry.MAX_IO_BYTES + 4096L)));
        assertThat(faultOf(read, AGENT_TO_NODE)).isEqualTo(ProtocolFault.TOO_LONG);
    }

    @Test
    void aPayloadThatDoesNotFitItsRangeIsRefused() {
        ByteBuf bytes = write();
        int rangeLengthAt = Frames.HEADER_BYTES + bytes.getInt(Frames.BODY_LENGTH_AT) - Long.BYTES;
        bytes.setLong(rangeLengthAt, 2L * BlockGeometry.BLOCK_BYTES);
        Encoding.seal(bytes);
        assertThat(faultOf(bytes, AGENT_TO_NODE)).isEqualTo(ProtocolFault.MALFORMED);
    }

    @Test
    void onlyControlFramesAreReadBeforeTheHandshakeIsOver() {
        try (FrameReader reader = new FrameReader(allocator, body -> Inbound.read(body))) {
            WireFormatException refused = catchThrowableOfType(WireFormatException.class, () -> reader.read(write()));
            assertThat(refused.fault()).isEqualTo(ProtocolFault.OUT_OF_PLACE);
        }
    }

    @Test
    void messagesThatTheRoleMayNotSendAreRefusedByTheHeader() {
        assertThat(faultOf(write(), NODES)).isEqualTo(ProtocolFault.OUT_OF_PLACE);
        assertThat(faultOf(heartbeat(), AGENT_TO_NODE)).isEqualTo(ProtocolFault.OUT_OF_PLACE);
        assertThat(faultOf(heartbeat(), new Role[] {Role.NODE, Role.AGENT})).isEqualTo(ProtocolFault.OUT_OF_PLACE);
    }

    @Test
    void mutatedFramesWithRightChecksumsNeverCauseMoreThanARefusal() {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        int refused = 0;
        int accepted = 0;
        for (int round = 0; round < 60; round++) {
            for (Object message : new Samples(random.nextLong(), 2, 4).one()) {
                ByteBuf bytes = Encoding.whole(message);
                int head = Frames.HEADER_BYTES + bytes.getInt(Frames.BODY_LENGTH_AT);
                for (int i = random.nextInt(4); i >= 0; i--) {
                    bytes.setByte(random.nextInt(head), random.nextInt(256));
                }
                if (random.nextInt(4) == 0) {
                    bytes.writerIndex(random.nextInt(bytes.writerIndex() + 1));
                }
                bytes.setShort(0, Frames.MAGIC);
                if (bytes.writerIndex() >= Frames.HEADER_BYTES) {
                    Encoding.seal(bytes);
                }
                try {
                    List<Object> found = Encoding.read(
                            allocator, bytes, Encoding.rolesOf(message), 1 + random.nextInt(bytes.capacity()));
                    found.forEach(m -> MessageEquality.payloads(m).forEach(Payload::release));
                    accepted++;
                } catch (WireFormatException e) {
                    refused++;
                }
            }
        }
        assertThat(refused).as("seed %d", seed).isPositive();
        assertThat(accepted).as("seed %d", seed).isPositive();
    }
}
