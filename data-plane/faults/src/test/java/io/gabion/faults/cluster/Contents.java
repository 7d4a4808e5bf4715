package io.gabion.faults.cluster;

import io.gabion.faults.nbd.NbdClient;
import io.gabion.faults.nbd.NbdReply;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** What a served volume holds. */
final class Contents {
    private static final int CHUNK_BYTES = 256 << 10;

    private Contents() {}

    /** SHA-256 of every byte, in hexadecimal. */
    static String sha256(NbdClient client) {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
        for (long at = 0; at < client.sizeBytes(); at += CHUNK_BYTES) {
            int length = (int) Math.min(CHUNK_BYTES, client.sizeBytes() - at);
            NbdReply reply = client.read(at, length).join();
            if (!(reply instanceof NbdReply.Done(ByteBuffer data))) {
                throw new IllegalStateException("read at " + at + ": " + reply);
            }
            digest.update(data);
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
