package io.gabion.cli.text;

import io.gabion.model.BlockGeometry;
import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A number of bytes as people write it: {@code 4096}, {@code 1GiB}, {@code 1.5T}, {@code 500MB}. */
public record ByteSize(long bytes) {
    private static final Pattern SHAPE = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)\\s*([A-Za-z]*)");
    private static final Map<String, Long> UNITS = Map.ofEntries(
            Map.entry("", 1L),
            Map.entry("b", 1L),
            Map.entry("k", 1L << 10),
            Map.entry("ki", 1L << 10),
            Map.entry("kib", 1L << 10),
            Map.entry("kb", 1_000L),
            Map.entry("m", 1L << 20),
            Map.entry("mi", 1L << 20),
            Map.entry("mib", 1L << 20),
            Map.entry("mb", 1_000_000L),
            Map.entry("g", 1L << 30),
            Map.entry("gi", 1L << 30),
            Map.entry("gib", 1L << 30),
            Map.entry("gb", 1_000_000_000L),
            Map.entry("t", 1L << 40),
            Map.entry("ti", 1L << 40),
            Map.entry("tib", 1L << 40),
            Map.entry("tb", 1_000_000_000_000L));
    private static final List<String> BINARY = List.of("B", "KiB", "MiB", "GiB", "TiB");
    private static final int STEP = 1024;
    /** The largest volume: far from the end of a long, so that sums and roundings never overflow. */
    private static final long MAX_BYTES = 1L << 60;

    /** Throws {@link IllegalArgumentException} that says what is understood. */
    public static ByteSize parse(String text) {
        Matcher shape = SHAPE.matcher(text.strip());
        Long unit = shape.matches() ? UNITS.get(shape.group(2).toLowerCase(Locale.ROOT)) : null;
        if (unit == null) {
            throw new IllegalArgumentException("\"" + text
                    + "\" is not a size; write a number with KiB, MiB, GiB, TiB (powers of 1024; short K, M, G, T)"
                    + " or kB, MB, GB, TB (powers of 1000)");
        }
        BigDecimal bytes = new BigDecimal(shape.group(1)).multiply(BigDecimal.valueOf(unit));
        if (bytes.stripTrailingZeros().scale() > 0) {
            throw new IllegalArgumentException("\"" + text + "\" is not a whole number of bytes");
        }
        if (bytes.compareTo(BigDecimal.valueOf(MAX_BYTES)) > 0) {
            throw new IllegalArgumentException("\"" + text + "\" is more than " + format(MAX_BYTES));
        }
        return new ByteSize(bytes.longValueExact());
    }

    /** The size of a volume: throws {@link UsageFailure} that names the option when it is zero or not whole blocks. */
    public long ofVolume(String option) {
        if (bytes <= 0) {
            throw new UsageFailure(
                    option + ": a volume has at least " + BlockGeometry.BLOCK_BYTES + " bytes, not " + bytes);
        }
        long rest = bytes % BlockGeometry.BLOCK_BYTES;
        if (rest != 0) {
            long up = bytes - rest + BlockGeometry.BLOCK_BYTES;
            throw new UsageFailure(option + ": " + bytes + " is not a multiple of " + BlockGeometry.BLOCK_BYTES
                    + " bytes; the next larger is " + up);
        }
        return bytes;
    }

    /** Short, for people: {@code 1.5 GiB}. */
    public static String format(long bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= STEP && unit < BINARY.size() - 1) {
            value /= STEP;
            unit++;
        }
        String number =
                value == Math.rint(value) ? String.valueOf((long) value) : String.format(Locale.ROOT, "%.1f", value);
        return number + " " + BINARY.get(unit);
    }

    @Override
    public String toString() {
        return format(bytes);
    }
}
