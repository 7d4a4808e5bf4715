package io.gabion.wire;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.Operation;
import io.gabion.core.message.Payload;
import io.gabion.core.message.PeerMessage;
import java.util.List;

/** Gives back the payload references of messages that go nowhere. */
final class Payloads {
    private Payloads() {}

    static void release(PeerMessage message) {
        if (message instanceof PeerMessage.Replicate replicate
                && replicate.operation() instanceof Operation.Write write) {
            write.payload().release();
        } else if (message instanceof PeerMessage.Reconcile reconcile) {
            release(reconcile.runs());
        } else if (message instanceof PeerMessage.Blocks blocks) {
            release(blocks.runs());
        }
    }

    static void release(ClientMessage message) {
        if (message instanceof ClientMessage.Write write) {
            write.payload().release();
        } else if (message instanceof ClientMessage.ReadDone done) {
            done.payload().release();
        }
    }

    private static void release(List<BlockRun> runs) {
        for (BlockRun run : runs) {
            run.payload().ifPresent(Payload::release);
        }
    }
}
