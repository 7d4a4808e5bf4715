package io.gabion.node;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.Operation;
import io.gabion.core.message.Payload;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.Effect;
import io.gabion.core.port.Event;
import io.gabion.core.port.LogRecord;
import java.util.List;

/** Gives back the payloads in whatever is dropped instead of being handled. */
final class OwnedPayloads {
    private OwnedPayloads() {}

    static void release(Event event) {
        if (event instanceof Event.FromPeer(var node, var message)) {
            release(message);
        } else if (event instanceof Event.FromClient(var link, var agent, var message)) {
            release(message);
        } else if (event instanceof Event.ReadCompleted(var ticket, var payload)) {
            payload.release();
        } else if (event instanceof Event.BlocksRead(var ticket, var runs)) {
            release(runs);
        }
    }

    static void release(Effect effect) {
        if (effect instanceof Effect.SendPeer(var node, var message)) {
            release(message);
        } else if (effect instanceof Effect.SendClient(var link, var message)) {
            release(message);
        } else if (effect instanceof Effect.Append(var ticket, var record)) {
            release(record);
        }
    }

    static void release(PeerMessage message) {
        if (message instanceof PeerMessage.Replicate replicate) {
            if (replicate.operation() instanceof Operation.Write write) {
                write.payload().release();
            }
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

    private static void release(LogRecord record) {
        if (record instanceof LogRecord.Written written) {
            written.payload().release();
        } else if (record instanceof LogRecord.Copied copied) {
            release(copied.runs());
        } else if (record instanceof LogRecord.CopiedUnder copied) {
            release(copied.runs());
        } else if (record instanceof LogRecord.Repaired repaired) {
            release(List.of(repaired.run()));
        }
    }

    private static void release(List<BlockRun> runs) {
        for (BlockRun run : runs) {
            run.payload().ifPresent(Payload::release);
        }
    }
}
