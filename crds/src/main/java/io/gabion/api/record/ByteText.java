package io.gabion.api.record;

import java.util.Locale;

/** Bytes for people, as the columns of {@code kubectl get} show them. */
public final class ByteText {
    private static final String[] UNITS = {"B", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    private static final double UNIT = 1024;

    private ByteText() {}

    /** Three digits and a binary unit: 512Mi, 9.77Gi. */
    public static String of(long bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= UNIT && unit < UNITS.length - 1) {
            value /= UNIT;
            unit++;
        }
        int decimals = value == Math.rint(value) || value >= 100 ? 0 : value >= 10 ? 1 : 2;
        return String.format(Locale.ROOT, "%." + decimals + "f%s", value, unit == 0 ? "" : UNITS[unit]);
    }
}
