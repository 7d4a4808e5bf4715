package io.gabion.wire;

import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns what Netty and the JDK throw into reasons, and tells people about them without letting a peer fill the log. */
final class Failures {
    private static final Logger LOG = LoggerFactory.getLogger(Failures.class);
    /** Inbound attempts that fail are logged at most this often: anybody can make them. */
    private static final long LOG_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final AtomicLong NEXT_LOG_NANOS = new AtomicLong(System.nanoTime());
    private static final AtomicLong SUPPRESSED = new AtomicLong();

    private Failures() {}

    static CloseReason ofConnect(Throwable cause, String peer) {
        // Netty's own exceptions name the address in their message; the class tells refused from unreachable.
        if (cause instanceof ConnectException
                && !(cause instanceof ConnectTimeoutException)
                && String.valueOf(cause.getMessage()).contains("refused")) {
            return new CloseReason.ConnectRefused(peer + " does not listen: connection refused");
        }
        return new CloseReason.Unreachable(peer + " cannot be reached: " + text(cause));
    }

    static CloseReason ofTls(Throwable cause, String peer) {
        Throwable root = unwrap(cause);
        if (root instanceof SslHandshakeTimeoutException) {
            return new CloseReason.HandshakeTimeout(peer + " did not finish the TLS handshake in time");
        }
        if (root instanceof SSLException && !(root.getCause() instanceof ClosedChannelException)) {
            boolean byPeer = String.valueOf(root.getMessage())
                    .toLowerCase(java.util.Locale.ROOT)
                    .contains("alert");
            return new CloseReason.HandshakeRefused(
                    Refusal.TLS, byPeer, "TLS with " + peer + " failed: " + text(root) + rootText(root));
        }
        return new CloseReason.Reset(peer + " broke the connection within the handshake: " + text(root));
    }

    static CloseReason ofOpen(Throwable cause, String peer) {
        Throwable root = unwrap(cause);
        if (root instanceof SSLException) {
            return new CloseReason.ProtocolError(ProtocolFault.MALFORMED, "TLS with " + peer + " broke: " + text(root));
        }
        if (root instanceof IOException) {
            return new CloseReason.Reset(peer + " broke the connection: " + text(root));
        }
        LOG.error("unexpected failure on the connection with {}", peer, cause);
        return new CloseReason.ClosedHere("unexpected failure: " + root);
    }

    private static Throwable unwrap(Throwable cause) {
        Throwable inner = cause.getCause();
        return cause instanceof DecoderException && inner != null ? inner : cause;
    }

    private static String text(Throwable cause) {
        String message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : message;
    }

    private static String rootText(Throwable cause) {
        Throwable root = cause;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root == cause || text(root).equals(text(cause)) ? "" : " (" + text(root) + ")";
    }

    static void log(CloseReason reason, String remote, boolean wasOpen, boolean outbound) {
        switch (reason) {
            case CloseReason.ProtocolError _, CloseReason.Overflow _, CloseReason.Silent _ ->
                LOG.warn("closed the connection: {}", reason.detail());
            case CloseReason.ClosedHere _ -> {
                if (wasOpen) {
                    LOG.info("closed the connection with {}: {}", remote, reason.detail());
                }
            }
            case CloseReason.Reset _, CloseReason.ClosedByPeer _ -> {
                if (wasOpen) {
                    LOG.info("the connection ended: {}", reason.detail());
                } else {
                    logFailedHandshake(reason, outbound);
                }
            }
            case CloseReason.HandshakeRefused _, CloseReason.HandshakeTimeout _ -> logFailedHandshake(reason, outbound);
            case CloseReason.ConnectRefused _, CloseReason.Unreachable _ ->
                LOG.debug("no connection: {}", reason.detail());
        }
    }

    private static void logFailedHandshake(CloseReason reason, boolean outbound) {
        long now = System.nanoTime();
        long next = NEXT_LOG_NANOS.get();
        if (now - next < 0 || !NEXT_LOG_NANOS.compareAndSet(next, now + LOG_INTERVAL_NANOS)) {
            SUPPRESSED.incrementAndGet();
            return;
        }
        long suppressed = SUPPRESSED.getAndSet(0);
        LOG.warn(
                "no {} connection: {}{}",
                outbound ? "outbound" : "inbound",
                reason.detail(),
                suppressed == 0 ? "" : " (and " + suppressed + " more)");
    }
}
