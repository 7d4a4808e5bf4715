package io.gabion.node;

import io.gabion.model.NodeRecord;
import io.gabion.wire.ConnectionHandler;
import io.gabion.wire.WireClient;
import io.gabion.wire.WireLoop;
import io.gabion.wire.WireOptions;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;

/** Makes the links to other nodes. */
final class WireDialer implements PeerLinks.Dialer {
    /** A live kernel answers or refuses within a round trip; anything slower is no news. */
    private static final int PROBE_TIMEOUT_MILLIS = 500;

    private final WireOptions options;
    private final WireLoop loop;

    WireDialer(WireOptions options, WireLoop loop) {
        this.options = options;
        this.loop = loop;
    }

    @Override
    public void connect(NodeRecord peer, ConnectionHandler handler) {
        var unused = WireClient.connect(options, loop, peer.host(), peer.dataPort(), peer.name(), handler);
    }

    @Override
    public void probe(NodeRecord peer, Runnable refused) {
        Thread.ofVirtual().name("probe-" + peer.name()).start(() -> {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(peer.host(), peer.dataPort()), PROBE_TIMEOUT_MILLIS);
            } catch (ConnectException e) {
                // Refused, or no route. Only a refusal proves that the process is gone.
                if (isRefused(e)) {
                    loop.execute(refused);
                }
            } catch (IOException e) {
                // No answer: the heartbeats' grace time decides.
                return;
            }
        });
    }

    private static boolean isRefused(ConnectException e) {
        String message = e.getMessage();
        return message != null && message.contains("refused");
    }
}
