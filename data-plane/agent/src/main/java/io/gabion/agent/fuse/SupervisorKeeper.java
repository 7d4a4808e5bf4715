package io.gabion.agent.fuse;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.gabion.agent.linux.Descriptor;
import io.gabion.agent.linux.Errno;
import io.gabion.agent.linux.SystemCalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The supervisor that started this process keeps the descriptors. They talk over a socket of whole messages that the
 * supervisor left open in this process:
 *
 * <pre>
 * KEEP name + descriptor  ->  OK
 * DROP name               ->  OK
 * LIST                    ->  FD name + descriptor, for each; END count
 * ALIVE                   ->  OK
 * </pre>
 *
 * Anything that goes wrong is answered {@code ERR reason}.
 */
public final class SupervisorKeeper implements DescriptorKeeper {
    /** Where the supervisor says which descriptor the socket is. */
    public static final String VARIABLE = "GABION_KEEP_FD";

    private static final int MAX_MESSAGE_BYTES = 256;
    private static final int ANSWER_MILLIS = 10_000;
    /** A predecessor that does not end by itself is killed after 30 seconds. */
    private static final int LIST_MILLIS = 90_000;

    private static final int MSG_CMSG_CLOEXEC = 0x40000000;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;
    private static final short POLLIN = 1;
    private static final int POLLFD_BYTES = 8;
    private static final int MSGHDR_BYTES = 56;
    private static final int CONTROL_BYTES = 24;
    private static final int CONTROL_HEADER_BYTES = 16;

    private final int socket;

    SupervisorKeeper(int socket) {
        this.socket = socket;
    }

    /** The supervisor of this process; {@link DescriptorKeeper#none} where it was started without. */
    public static DescriptorKeeper ofThisProcess() throws IOException {
        String number = System.getenv(VARIABLE);
        if (number == null) {
            return DescriptorKeeper.none();
        }
        try {
            return new SupervisorKeeper(Integer.parseInt(number));
        } catch (NumberFormatException e) {
            throw new IOException(VARIABLE + " is \"" + number + "\", not a descriptor", e);
        }
    }

    private record Received(String text, @Nullable Descriptor descriptor) {}

    @Override
    public synchronized void keep(String name, Descriptor descriptor) throws IOException {
        send("KEEP " + name, descriptor);
        expectOk(receive(ANSWER_MILLIS));
    }

    @Override
    public synchronized void drop(String name) throws IOException {
        send("DROP " + name, null);
        expectOk(receive(ANSWER_MILLIS));
    }

    @Override
    public synchronized Map<String, Descriptor> list() throws IOException {
        send("LIST", null);
        Map<String, Descriptor> result = new HashMap<>();
        while (true) {
            Received next = receive(LIST_MILLIS);
            Descriptor descriptor = next.descriptor();
            if (next.text().startsWith("FD ") && descriptor != null) {
                result.put(next.text().substring("FD ".length()), descriptor);
            } else if (next.text().equals("END " + result.size())) {
                return result;
            } else {
                result.values().forEach(Descriptor::close);
                throw new IOException("the supervisor answered \"" + next.text() + "\" to LIST");
            }
        }
    }

    @Override
    public synchronized void alive() throws IOException {
        send("ALIVE", null);
        expectOk(receive(ANSWER_MILLIS));
    }

    private static void expectOk(Received answer) throws IOException {
        Descriptor unexpected = answer.descriptor();
        if (unexpected != null) {
            unexpected.close();
        }
        if (!answer.text().equals("OK")) {
            throw new IOException("the supervisor answered: " + answer.text());
        }
    }

    private void send(String text, @Nullable Descriptor descriptor) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            byte[] bytes = text.getBytes(US_ASCII);
            if (bytes.length > MAX_MESSAGE_BYTES) {
                throw new IOException("a name of " + bytes.length + " bytes cannot be kept");
            }
            MemorySegment header = message(arena, arena.allocateFrom(JAVA_BYTE, bytes), descriptor != null);
            if (descriptor != null) {
                MemorySegment control = header.get(ADDRESS, 32).reinterpret(CONTROL_BYTES);
                control.set(JAVA_LONG, 0, CONTROL_HEADER_BYTES + Integer.BYTES);
                control.set(JAVA_INT, 8, SOL_SOCKET);
                control.set(JAVA_INT, 12, SCM_RIGHTS);
                control.set(JAVA_INT, CONTROL_HEADER_BYTES, descriptor.number());
            }
            long sent = SystemCalls.sendMessage(socket, header, MSG_NOSIGNAL);
            if (sent != bytes.length) {
                throw new IOException("the supervisor cannot be reached: " + Errno.text((int) -sent));
            }
        }
    }

    private Received receive(int timeoutMillis) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment waiting = arena.allocate(POLLFD_BYTES, Integer.BYTES);
            waiting.set(JAVA_INT, 0, socket);
            waiting.set(JAVA_SHORT, Integer.BYTES, POLLIN);
            long deadline = System.nanoTime() + timeoutMillis * 1_000_000L;
            int ready;
            do {
                long left = Math.max(0, (deadline - System.nanoTime()) / 1_000_000L);
                ready = SystemCalls.poll(waiting, 1, Math.toIntExact(left));
            } while (ready == -Errno.EINTR);
            if (ready <= 0) {
                throw new IOException("the supervisor did not answer within " + timeoutMillis + " ms");
            }
            MemorySegment body = arena.allocate(MAX_MESSAGE_BYTES);
            MemorySegment header = message(arena, body, true);
            long length = SystemCalls.receiveMessage(socket, header, MSG_CMSG_CLOEXEC);
            if (length <= 0) {
                throw new IOException("the supervisor is gone");
            }
            String text = new String(body.asSlice(0, length).toArray(JAVA_BYTE), US_ASCII);
            MemorySegment control = header.get(ADDRESS, 32).reinterpret(CONTROL_BYTES);
            boolean carries = header.get(JAVA_LONG, 40) >= CONTROL_HEADER_BYTES + Integer.BYTES
                    && control.get(JAVA_INT, 8) == SOL_SOCKET
                    && control.get(JAVA_INT, 12) == SCM_RIGHTS;
            return new Received(text, carries ? new Descriptor(control.get(JAVA_INT, CONTROL_HEADER_BYTES)) : null);
        }
    }

    /** Structure msghdr with one iovec and, if wanted, room for one descriptor. */
    private static MemorySegment message(Arena arena, MemorySegment body, boolean withControl) {
        MemorySegment vector = arena.allocate(2L * Long.BYTES, Long.BYTES);
        vector.set(ADDRESS, 0, body);
        vector.set(JAVA_LONG, Long.BYTES, body.byteSize());
        MemorySegment header = arena.allocate(MSGHDR_BYTES, Long.BYTES);
        header.set(ADDRESS, 16, vector);
        header.set(JAVA_LONG, 24, 1);
        if (withControl) {
            header.set(ADDRESS, 32, arena.allocate(CONTROL_BYTES, Long.BYTES));
            header.set(JAVA_LONG, 40, CONTROL_BYTES);
        }
        return header;
    }
}
