package io.gabion.core.volume;

import io.gabion.core.message.BlockRun;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.Operation;
import io.gabion.core.message.PeerMessage;
import io.gabion.core.port.Event;
import java.util.List;

/** Gives back the payload references of what is not used. */
final class Payloads {
    private Payloads() {}

    static void release(PeerMessage message) {
        switch (message) {
            case PeerMessage.Replicate replicate -> release(replicate.operation());
            case PeerMessage.Reconcile reconcile -> release(reconcile.runs());
            case PeerMessage.Blocks blocks -> release(blocks.runs());
            case PeerMessage _ -> {}
        }
    }

    static void release(Operation operation) {
        if (operation instanceof Operation.Write write) {
            write.payload().release();
        }
    }

    static void release(List<BlockRun> runs) {
        for (BlockRun run : runs) {
            run.payload().ifPresent(payload -> payload.release());
        }
    }

    static void release(ClientMessage.Request request) {
        if (request instanceof ClientMessage.Write write) {
            write.payload().release();
        }
    }

    static void release(Event event) {
        switch (event) {
            case Event.FromPeer peer -> release(peer.message());
            case Event.FromClient client -> release(client.message());
            case Event.ReadCompleted read -> read.payload().release();
            case Event.BlocksRead read -> release(read.runs());
            case Event _ -> {}
        }
    }
}
