package io.gabion.faults.cluster;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Loopback ports that nobody listens on now. They lie below the range from which the kernel takes the ports of outgoing
 * connections, so a killed process finds its port free again.
 */
final class FreePorts {
    private static final int FIRST = 15_000;
    private static final int LAST = 32_000;
    private static final int ATTEMPTS = 200;

    private int next = ThreadLocalRandom.current().nextInt(FIRST, LAST);

    int take() {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            next = next >= LAST ? FIRST : next + 1;
            if (isFree(next)) {
                return next;
            }
        }
        throw new IllegalStateException("no free loopback port found in " + ATTEMPTS + " attempts up to " + next);
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }
}
