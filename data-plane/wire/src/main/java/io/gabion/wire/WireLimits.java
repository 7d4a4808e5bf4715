package io.gabion.wire;

/**
 * Times and sizes of connections.
 *
 * @param connectTimeoutMillis until a TCP connection must stand
 * @param handshakeTimeoutMillis from then until TLS and Hello must be done
 * @param lowWaterBytes {@link Connection#isWritable} becomes true again below this many queued bytes
 * @param highWaterBytes {@link Connection#isWritable} becomes false above this many queued bytes
 * @param maxQueuedBytes a connection with more queued bytes is closed: its peer does not read
 * @param keepAliveMillis a connection on which nothing was sent for so long sends an empty frame; 0 never
 * @param silenceMillis a connection on which nothing was received for so long is closed; 0 never. Only sensible when the
 *     peer keeps alive more often
 */
public record WireLimits(
        int connectTimeoutMillis,
        int handshakeTimeoutMillis,
        int lowWaterBytes,
        int highWaterBytes,
        int maxQueuedBytes,
        int keepAliveMillis,
        int silenceMillis) {
    private static final int MIB = 1024 * 1024;

    /**
     * Two seconds to connect (a lost SYN is re-sent after one), five for the handshake (a busy machine), 4 and 8 MiB of
     * marks (some milliseconds of a 10 Gbit/s link), 128 MiB at most (twice the longest frame), a sign of life every 500 ms.
     */
    public static final WireLimits DEFAULT = new WireLimits(2000, 5000, 4 * MIB, 8 * MIB, 128 * MIB, 500, 0);

    public WireLimits {
        if (connectTimeoutMillis < 1 || handshakeTimeoutMillis < 1 || keepAliveMillis < 0 || silenceMillis < 0) {
            throw new IllegalArgumentException("timeouts of the wire must be positive");
        }
        if (lowWaterBytes < 1 || highWaterBytes <= lowWaterBytes || maxQueuedBytes <= highWaterBytes) {
            throw new IllegalArgumentException("wanted lowWaterBytes < highWaterBytes < maxQueuedBytes, not "
                    + lowWaterBytes + ", " + highWaterBytes + ", " + maxQueuedBytes);
        }
    }

    public WireLimits withSilenceMillis(int newSilenceMillis) {
        return new WireLimits(
                connectTimeoutMillis,
                handshakeTimeoutMillis,
                lowWaterBytes,
                highWaterBytes,
                maxQueuedBytes,
                keepAliveMillis,
                newSilenceMillis);
    }

    public WireLimits withTimeouts(int newConnectTimeoutMillis, int newHandshakeTimeoutMillis) {
        return new WireLimits(
                newConnectTimeoutMillis,
                newHandshakeTimeoutMillis,
                lowWaterBytes,
                highWaterBytes,
                maxQueuedBytes,
                keepAliveMillis,
                silenceMillis);
    }

    public WireLimits withQueue(int newLowWaterBytes, int newHighWaterBytes, int newMaxQueuedBytes) {
        return new WireLimits(
                connectTimeoutMillis,
                handshakeTimeoutMillis,
                newLowWaterBytes,
                newHighWaterBytes,
                newMaxQueuedBytes,
                keepAliveMillis,
                silenceMillis);
    }
}
