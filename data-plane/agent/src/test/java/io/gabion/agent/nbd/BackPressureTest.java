package io.gabion.agent.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.message.HeapPayload;
import io.gabion.process.testing.Waiting;
import io.gabion.wire.Backend;
import io.gabion.wire.EventLoops;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An export that answers late, from another thread, in any order. */
@Timeout(30)
class BackPressureTest {
    private static final int MIB = 1024 * 1024;

    @TempDir
    Path directory;

    private Path socket;
    private EventLoops loops;
    private NbdServer server;
    private final SlowExport slow = new SlowExport();

    private record Held(BlockCommand command, BlockCompletion completion) {}

    /** Holds every command until the test lets it go. */
    private static final class SlowExport implements BlockExport {
        private final ArrayDeque<Held> held = new ArrayDeque<>();
        final AtomicInteger submitted = new AtomicInteger();
        final AtomicInteger payloadsReleased = new AtomicInteger();

        @Override
        public String name() {
            return "slow";
        }

        @Override
        public long sizeBytes() {
            return 1024L * MIB;
        }

        @Override
        public boolean readOnly() {
            return false;
        }

        @Override
        public synchronized void submit(BlockCommand command, BlockCompletion completion) {
            submitted.incrementAndGet();
            held.add(new Held(command, completion));
        }

        synchronized int held() {
            return held.size();
        }

        void answerAll(boolean newestFirst, BlockFailure... failure) {
            for (Held next = take(newestFirst); next != null; next = take(newestFirst)) {
                BlockOutcome outcome = success(next);
                next.completion().complete(failure.length > 0 ? new BlockOutcome.Failed(failure[0]) : outcome);
            }
        }

        int answerOne() {
            Held next = take(false);
            if (next == null) {
                return 0;
            }
            next.completion().complete(success(next));
            return 1;
        }

        private synchronized Held take(boolean newest) {
            return newest ? held.pollLast() : held.pollFirst();
        }

        private BlockOutcome success(Held next) {
            return switch (next.command()) {
                case BlockCommand.Read read -> {
                    byte[] content = new byte[(int) read.range().length()];
                    content[0] = (byte) (read.range().offset() / MIB + 1);
                    yield new BlockOutcome.Found(HeapPayload.of(content));
                }
                case BlockCommand.Write write -> {
                    write.payload().release();
                    payloadsReleased.incrementAndGet();
                    yield BlockOutcome.Done.DONE;
                }
                case BlockCommand.Trim _, BlockCommand.Zero _, BlockCommand.Flush _, BlockCommand.Status _ ->
                    BlockOutcome.Done.DONE;
            };
        }
    }

    @BeforeEach
    void start() throws IOException {
        socket = directory.resolve("nbd.sock");
        loops = EventLoops.start(Backend.Choice.AUTO, 1, "test");
        ExportTable exports = new ExportTable();
        exports.add(slow);
        server = new NbdServer(loops, exports, false);
        server.listenUnix(socket);
    }

    @AfterEach
    void stop() {
        server.close();
        loops.close();
    }

    private static void await(BooleanSupplier condition) {
        Waiting.until("the condition", Duration.ofSeconds(10), condition::getAsBoolean);
    }

    private void answerUntilSubmitted(int commands) {
        await(() -> {
            slow.answerAll(true);
            return slow.submitted.get() == commands && slow.held() == 0;
        });
    }

    @Test
    void noMoreThanTheLimitIsUnderWayAndTheRestFollows() throws IOException {
        try (RawNbdClient client = RawNbdClient.connect(socket).greet().simple("slow")) {
            int requests = Transmission.MAX_OUTSTANDING_REQUESTS + 100;
            for (int i = 0; i < requests; i++) {
                client.send(NbdProtocol.CMD_FLUSH, 0, i, 0, 0);
            }
            await(() -> slow.held() == Transmission.MAX_OUTSTANDING_REQUESTS);
            Set<Long> answered = new HashSet<>();
            answerUntilSubmitted(requests);
            for (int i = 0; i < requests; i++) {
                answered.add(client.simpleReplyCookie());
            }
            assertThat(answered).hasSize(requests);
            assertThat(slow.held()).isZero();
        }
    }

    @Test
    void payloadUnderWayIsBounded() throws Exception {
        try (RawNbdClient client = RawNbdClient.connect(socket).greet().simple("slow")) {
            Thread sender = Thread.ofPlatform().start(() -> {
                try {
                    for (int i = 0; i < 100; i++) {
                        client.write(0, i, (long) i * MIB, new byte[MIB]);
                    }
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            int limit = Transmission.MAX_OUTSTANDING_BYTES / MIB;
            await(() -> slow.held() == limit);
            answerUntilSubmitted(100);
            sender.join();
            Set<Long> answered = new HashSet<>();
            for (int i = 0; i < 100; i++) {
                answered.add(client.simpleReplyCookie());
            }
            assertThat(answered).hasSize(100);
        }
    }

    @Test
    void allConnectionsTogetherAreBounded() throws Exception {
        ExportTable exports = new ExportTable();
        exports.add(slow);
        Path other = directory.resolve("budget.sock");
        int connections = 4;
        int writes = 10;
        try (EventLoops several = EventLoops.start(Backend.Choice.AUTO, 2, "test");
                NbdServer limited = new NbdServer(several, exports, false, new PayloadBudget(3L * MIB))) {
            limited.listenUnix(other);
            List<RawNbdClient> clients = new ArrayList<>();
            List<Thread> senders = new ArrayList<>();
            for (int c = 0; c < connections; c++) {
                RawNbdClient client = RawNbdClient.connect(other).greet().simple("slow");
                clients.add(client);
                senders.add(Thread.ofPlatform().start(() -> sendWrites(client, writes)));
            }
            // The limit, and one more per loop that both look at the same time.
            for (int done = 0; done < connections * writes; ) {
                await(() -> slow.held() >= 3 || slow.submitted.get() == connections * writes);
                assertThat(slow.held()).isLessThanOrEqualTo(4);
                done += slow.answerOne();
            }
            for (Thread sender : senders) {
                sender.join();
            }
            for (RawNbdClient client : clients) {
                for (int i = 0; i < writes; i++) {
                    assertThat(client.simpleReply(i)).isZero();
                }
                client.close();
            }
        }
    }

    private static void sendWrites(RawNbdClient client, int count) {
        try {
            for (int i = 0; i < count; i++) {
                client.write(0, i, (long) i * MIB, new byte[MIB]);
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void longReadIsPutTogetherWhateverTheOrderOfItsPieces() throws IOException {
        try (RawNbdClient simple = RawNbdClient.connect(socket).greet().simple("slow");
                RawNbdClient structured = RawNbdClient.connect(socket).greet().structured("slow")) {
            simple.send(NbdProtocol.CMD_READ, 0, 1, 512, 4 * MIB);
            await(() -> slow.held() == 5);
            slow.answerAll(true);
            assertThat(simple.simpleReply(1)).isZero();
            byte[] data = simple.data(4 * MIB);
            assertThat(data[0]).isEqualTo((byte) 1);
            assertThat(data[MIB - 512]).isEqualTo((byte) 2);
            assertThat(data[4 * MIB - 512]).isEqualTo((byte) 5);
            structured.send(NbdProtocol.CMD_READ, 0, 2, 512, 4 * MIB);
            await(() -> slow.held() == 5);
            slow.answerAll(true);
            assertThat(structured.chunks().getLast().type()).isEqualTo(NbdProtocol.REPLY_TYPE_NONE);
        }
    }

    @Test
    void failuresBecomeErrorsOfTheProtocol() throws IOException {
        try (RawNbdClient client = RawNbdClient.connect(socket).greet().structured("slow")) {
            client.send(NbdProtocol.CMD_READ, 0, 1, 0, 20L * MIB);
            await(() -> slow.held() == 8);
            slow.answerAll(false, BlockFailure.UNREADABLE);
            assertThat(client.chunks().getLast().error()).isEqualTo(NbdErrno.IO.code());
            client.write(0, 2, 0, new byte[4096]);
            await(() -> slow.held() == 1);
            slow.answerAll(false, BlockFailure.NO_SPACE);
            assertThat(client.chunk().error()).isEqualTo(NbdErrno.NO_SPACE.code());
            client.send(NbdProtocol.CMD_FLUSH, 0, 3, 0, 0);
            await(() -> slow.held() == 1);
            slow.answerAll(false, BlockFailure.CLOSED);
            assertThat(client.chunk().error()).isEqualTo(NbdErrno.SHUTDOWN.code());
        }
    }

    @Test
    void clientThatLeavesWithRequestsUnderWayHarmsNobody() throws IOException {
        try (RawNbdClient client = RawNbdClient.connect(socket).greet().simple("slow")) {
            client.write(0, 1, 0, new byte[4096]);
            client.send(NbdProtocol.CMD_READ, 0, 2, 0, 4L * MIB);
            client.send(RawNbdClient.request(NbdProtocol.CMD_WRITE, 0, 3, 0, MIB));
            client.send(new byte[1000]);
            await(() -> slow.held() == 5);
        }
        await(() -> server.connectionCount() == 0);
        slow.answerAll(true);
        assertThat(slow.payloadsReleased).hasValue(1);
        try (RawNbdClient client = RawNbdClient.connect(socket).greet().simple("slow")) {
            client.send(NbdProtocol.CMD_FLUSH, 0, 1, 0, 0);
            await(() -> slow.held() == 1);
            slow.answerAll(true);
            assertThat(client.simpleReply(1)).isZero();
        }
    }

    @Test
    void clientThatTakesNoRepliesIsNotReadFrom() throws Exception {
        ExportTable exports = new ExportTable();
        exports.add(new MemoryExport("memory", 64L * MIB, false));
        Path other = directory.resolve("memory.sock");
        try (NbdServer memory = new NbdServer(loops, exports, false)) {
            memory.listenUnix(other);
            try (RawNbdClient client = RawNbdClient.connect(other).greet().simple("memory")) {
                AtomicInteger sent = new AtomicInteger();
                int requests = 20_000;
                Thread sender = Thread.ofPlatform().start(() -> {
                    try {
                        for (int i = 0; i < requests; i++) {
                            client.send(NbdProtocol.CMD_READ, 0, i, 0, 128 * 1024);
                            sent.incrementAndGet();
                        }
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                });
                await(() -> sent.get() > 100);
                int before;
                do {
                    before = sent.get();
                    sender.join(300);
                } while (sent.get() != before);
                assertThat(sent).hasValueLessThan(requests);
                for (int i = 0; i < requests; i++) {
                    assertThat(client.simpleReply(i)).isZero();
                    client.data(128 * 1024);
                }
                sender.join();
            }
        }
    }
}
