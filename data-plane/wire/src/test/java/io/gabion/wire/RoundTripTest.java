package io.gabion.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.Payload;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.message.RegionState;
import io.gabion.core.message.RequestId;
import io.gabion.core.message.SnapshotSet;
import io.gabion.model.BlockGeometry;
import io.gabion.model.Lsn;
import io.gabion.model.ReplicaId;
import io.gabion.model.VolumeId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class RoundTripTest {
    private static final int ROUNDS = 40;

    @Test
    void randomMessagesSurviveAnyCutOfTheStreamAndNothingLeaks() {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, true);
        for (int round = 0; round < ROUNDS; round++) {
            for (Object message : new Samples(random.nextLong(), 1 + random.nextInt(64), 20).one()) {
                ByteBuf bytes = Encoding.whole(message);
                bytes.writeBytes(Encoding.whole(message));
                int[] pieces = random.ints(64, 1, 2 + random.nextInt(bytes.readableBytes()))
                        .toArray();
                List<Object> found = Encoding.read(allocator, bytes, Encoding.rolesOf(message), pieces);
                assertThat(found).as("seed %d", seed).hasSize(2);
                for (Object copy : found) {
                    assertPayloadBytes(copy, message);
                    MessageEquality.assertSame(copy, message);
                }
            }
        }
        assertThat(allocator.metric().usedDirectMemory() + allocator.metric().usedHeapMemory())
                .isZero();
    }

    private static void assertPayloadBytes(Object copy, Object message) {
        List<Payload> found = MessageEquality.payloads(copy);
        List<Payload> wanted = MessageEquality.payloads(message);
        for (int i = 0; i < found.size(); i++) {
            assertThat(found.get(i).bytes()).isEqualTo(wanted.get(i).bytes());
        }
    }

    @Test
    void payloadOfAFrameInOnePieceIsASliceOfTheInput() {
        ByteBuf bytes = Encoding.whole(new Samples(1, 1, 1).write(1));
        List<Payload> found = new ArrayList<>();
        try (FrameReader reader = new FrameReader(UnpooledByteBufAllocator.DEFAULT, body -> {
            if (Inbound.read(body) instanceof Inbound.Client c) {
                found.addAll(MessageEquality.payloads(c.message()));
            }
        })) {
            reader.admit(Role.AGENT, Role.NODE);
            reader.read(bytes);
            assertThat(bytes.refCnt()).isEqualTo(2);
            found.getFirst().release();
            assertThat(bytes.refCnt()).isEqualTo(1);
        }
    }

    @Test
    void aWholeRegionOfSingleBlocksFitsIntoOneMessage() {
        List<BlockRun> runs = new ArrayList<>();
        for (int i = 0; i < BlockGeometry.BLOCKS_PER_REGION; i++) {
            runs.add(new BlockRun(
                    i, 1, new Lsn(1, i), Optional.of(HeapPayload.of(new byte[BlockGeometry.BLOCK_BYTES]))));
        }
        PeerMessage.Blocks blocks =
                new PeerMessage.Blocks(new VolumeId(new UUID(1, 2)), 3, new ReplicaId(new UUID(4, 5)), 6, runs);
        List<Object> found = Encoding.read(
                UnpooledByteBufAllocator.DEFAULT, Encoding.whole(blocks), Encoding.rolesOf(blocks), 16 * 1024);
        MessageEquality.assertSame(found.getFirst(), blocks);
    }

    @Test
    void aTableOfTwoTebibytesFitsAndALongerOneIsRefusedByTheSender() {
        List<RegionState> regions = Collections.nCopies(Frames.MAX_REGIONS, new RegionState(7, new Lsn(1, 2), 3));
        VolumeId volume = new VolumeId(new UUID(1, 2));
        ReplicaId from = new ReplicaId(new UUID(4, 5));
        assertThat(Encoding.head(new PeerMessage.RegionsAt(volume, 1, from, 1, regions))
                        .readableBytes())
                .isLessThan(Frames.TABLE_BODY_BYTES);
        List<RegionState> tooMany = Collections.nCopies(Frames.MAX_REGIONS + 1, regions.getFirst());
        assertThatThrownBy(() -> Encoding.head(new PeerMessage.RegionsAt(volume, 1, from, 1, tooMany)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("regions")
                .hasMessageContaining("limit");
    }

    @Test
    void tooManyRequestsAreRefusedByTheSender() {
        List<RequestId> requests = Collections.nCopies(Frames.MAX_REQUESTS + 1, RequestId.NONE);
        PeerMessage end = new PeerMessage.ReconcileEnd(
                new VolumeId(new UUID(1, 2)),
                1,
                new ReplicaId(new UUID(4, 5)),
                Lsn.ZERO,
                io.gabion.model.SessionId.NONE,
                4096,
                requests,
                SnapshotSet.NONE);
        assertThatThrownBy(() -> Encoding.head(end)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void longReasonsAreCutAtAWholeCharacter() {
        String reason = "x".repeat(Frames.MAX_REASON_BYTES - 1) + "\u20ac";
        ByteBuf bytes = Encoding.whole(new ControlFrame.Goodbye(reason));
        List<Object> found = Encoding.read(
                UnpooledByteBufAllocator.DEFAULT, bytes, new Role[] {Role.NODE, Role.NODE}, bytes.readableBytes());
        assertThat(found).containsExactly(new ControlFrame.Goodbye("x".repeat(Frames.MAX_REASON_BYTES - 1)));
    }
}
