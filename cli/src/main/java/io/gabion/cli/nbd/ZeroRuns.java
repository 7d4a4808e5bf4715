package io.gabion.cli.nbd;

import java.nio.ByteBuffer;

/** Finds what need not be written to a place that holds zeros. */
public final class ZeroRuns {
    private ZeroRuns() {}

    /** True when every remaining byte is zero; the buffer's position stays. */
    public static boolean isZero(ByteBuffer bytes) {
        int at = bytes.position();
        int end = bytes.limit();
        while (end - at >= Long.BYTES) {
            if (bytes.getLong(at) != 0) {
                return false;
            }
            at += Long.BYTES;
        }
        while (at < end) {
            if (bytes.get(at++) != 0) {
                return false;
            }
        }
        return true;
    }
}
