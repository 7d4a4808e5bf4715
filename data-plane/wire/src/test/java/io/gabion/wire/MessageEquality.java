package io.gabion.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.Operation;
import io.gabion.core.message.Payload;
import io.gabion.core.message.PeerMessage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Compares messages whose payloads are of different classes; releases what was received. */
final class MessageEquality {
    private MessageEquality() {}

    static void assertSame(Object received, Object expected) {
        assertThat(received.getClass()).isEqualTo(expected.getClass());
        List<Payload> found = payloads(received);
        List<Payload> wanted = payloads(expected);
        assertThat(withoutPayloads(received)).isEqualTo(withoutPayloads(expected));
        assertThat(found).hasSameSizeAs(wanted);
        for (int i = 0; i < found.size(); i++) {
            assertThat(found.get(i).crc32c()).isEqualTo(wanted.get(i).crc32c());
            assertThat(found.get(i).length()).isEqualTo(wanted.get(i).length());
        }
        found.forEach(Payload::release);
    }

    static ByteBuffer copy(Payload payload) {
        ByteBuffer copy = ByteBuffer.allocate(payload.length());
        copy.put(payload.bytes()).flip();
        return copy;
    }

    static List<Payload> payloads(Object message) {
        return switch (message) {
            case PeerMessage.Replicate m when m.operation() instanceof Operation.Write w -> List.of(w.payload());
            case PeerMessage.Reconcile m -> payloads(m.runs());
            case PeerMessage.Blocks m -> payloads(m.runs());
            case ClientMessage.Write m -> List.of(m.payload());
            case ClientMessage.ReadDone m -> List.of(m.payload());
            default -> List.of();
        };
    }

    private static List<Payload> payloads(List<BlockRun> runs) {
        List<Payload> all = new ArrayList<>();
        runs.forEach(run -> run.payload().ifPresent(all::add));
        return all;
    }

    private static String withoutPayloads(Object message) {
        return message.toString()
                .replaceAll("(ByteBufPayload|HeapPayload)@[0-9a-f]+", "payload")
                .replaceAll("io\\.gabion\\.[a-z.]*payload", "payload");
    }
}
