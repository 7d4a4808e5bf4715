package io.gabion.wire;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.Payload;
import io.gabion.core.message.RequestId;
import io.gabion.model.BlockGeometry;
import io.gabion.model.ByteRange;
import io.gabion.model.ClusterId;
import io.gabion.model.NodeName;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import io.gabion.process.testing.Waiting;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.UUID;

/**
 * Measures Write and Done over loopback with TLS, agent and node on one loop each in one process. Arguments: back end, TLS
 * engine, seconds per depth, bytes per write. Run it on its own: {@code java -cp ... io.gabion.wire.WireThroughput io_uring
 * boringssl 5 4096}.
 */
final class WireThroughput {
    private static final ClusterId CLUSTER = ClusterId.of("0198e0c4-7000-7000-8000-000000000001");
    private static final int[] DEPTHS = {1, 16, 64};

    private WireThroughput() {}

    public static void main(String[] arguments) throws Exception {
        Backend.Choice backend = Backend.Choice.parse(arguments.length > 0 ? arguments[0] : "auto");
        TlsEngine.Choice engine = TlsEngine.Choice.parse(arguments.length > 1 ? arguments[1] : "auto");
        int seconds = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 5;
        int bytes = arguments.length > 3 ? Integer.parseInt(arguments[3]) : BlockGeometry.BLOCK_BYTES;
        Path directory = Files.createTempDirectory("wire-throughput");
        Certificates.make(directory, CLUSTER, "node/node-1", "agent/host-1");
        try (EventLoops loops = EventLoops.start(backend, 2, "loop")) {
            WireOptions node = options(loops, directory, Role.NODE, "node-1", engine);
            WireOptions agent = options(loops, directory, Role.AGENT, "host-1", engine);
            try (WireServer server = WireServer.bind(
                    node,
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                    _ -> new Admission.Accepted(new Answering()))) {
                for (int depth : DEPTHS) {
                    Asking asking = new Asking(depth, bytes);
                    WireClient.connect(
                            agent,
                            loops.next(),
                            "127.0.0.1",
                            server.address().getPort(),
                            new NodeName("node-1"),
                            asking);
                    asking.measure(seconds);
                    loops.next();
                }
            }
        }
    }

    private static WireOptions options(
            EventLoops loops, Path directory, Role role, String name, TlsEngine.Choice engine) throws Exception {
        return WireOptions.of(
                loops,
                Hello.of(role, CLUSTER, new NodeName(name), new UUID(1, 2), "0.1.0"),
                Certificates.load(directory, role, name, engine));
    }

    private static final class Answering implements ConnectionHandler {
        @Override
        public void connected(Connection connection) {}

        @Override
        public void received(Connection connection, ClientMessage message) {
            if (message instanceof ClientMessage.Write write) {
                write.payload().release();
                connection.send(new ClientMessage.Done(
                        write.volume(), write.request(), 1, ClientMessage.IoStatus.OK, ClientMessage.PhaseTimes.NONE));
            }
        }

        @Override
        public void closed(Connection connection, CloseReason reason) {}
    }

    private static final class Asking extends RecordingHandler {
        private static final VolumeId VOLUME = new VolumeId(new UUID(3, 4));
        private static final SessionId SESSION = new SessionId(1, 1, new UUID(5, 6));
        private static final int MAX_SAMPLES = 1 << 20;

        private final int depth;
        private final Payload payload;
        private final ByteRange range;
        private final long[] sentNanos;
        private final long[] samples = new long[MAX_SAMPLES];
        private volatile long done;
        private volatile boolean stopping;
        private long number;

        Asking(int depth, int bytes) {
            this.depth = depth;
            this.sentNanos = new long[depth];
            byte[] content = new byte[bytes];
            Arrays.fill(content, (byte) 7);
            int crc = HeapPayload.of(content).crc32c();
            ByteBuf buffer = PooledByteBufAllocator.DEFAULT.directBuffer(bytes).writeBytes(content);
            this.payload = ByteBufPayload.of(buffer, crc);
            this.range = new ByteRange(0, bytes);
        }

        @Override
        public void connected(Connection opened) {
            super.connected(opened);
            for (int i = 0; i < depth; i++) {
                ask(opened);
            }
        }

        private void ask(Connection connection) {
            long request = number++;
            sentNanos[(int) (request % depth)] = System.nanoTime();
            connection.send(new ClientMessage.Write(
                    VOLUME, SESSION, new RequestId(1, request), request, range, payload.retain()));
        }

        @Override
        @SuppressWarnings("NonAtomicVolatileUpdate")
        public void received(Connection connection, ClientMessage message) {
            if (message instanceof ClientMessage.Done answer) {
                samples[(int) (done % MAX_SAMPLES)] =
                        System.nanoTime() - sentNanos[(int) (answer.request().number() % depth)];
                done++;
                if (!stopping) {
                    ask(connection);
                }
            }
        }

        void measure(int seconds) throws InterruptedException {
            Connection connection = awaitConnection();
            Waiting.pass(Duration.ofSeconds(seconds));
            long startCpu = cpuNanos();
            long start = System.nanoTime();
            long before = done;
            Waiting.pass(Duration.ofSeconds(seconds));
            long count = done - before;
            double elapsed = (System.nanoTime() - start) / 1e9;
            double cpu = (cpuNanos() - startCpu) / 1e3 / count;
            stopping = true;
            connection.close("measured");
            awaitEnd();
            long[] sorted = Arrays.copyOf(samples, (int) Math.min(done, MAX_SAMPLES));
            Arrays.sort(sorted);
            System.out.printf(
                    "QD%-3d %8.0f writes/s  %6.2f us CPU per write (both sides)  p50 %6.1f us  p99 %6.1f us%n",
                    depth,
                    count / elapsed,
                    cpu,
                    sorted[sorted.length / 2] / 1e3,
                    sorted[(int) (sorted.length * 0.99)] / 1e3);
        }

        private static long cpuNanos() {
            return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                    .getProcessCpuTime();
        }
    }
}
