package io.gabion.cli.volume;

import io.gabion.model.BlockGeometry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Compares what replicas say of their content. Pure. */
final class VerifyComparison {
    /** Bytes of a SHA-256. */
    static final int DIGEST_BYTES = 32;
    /** A person looks at the first few; the count says the rest. */
    static final int MAX_SHOWN = 20;

    private VerifyComparison() {}

    /** @param regionDigests one SHA-256 per region, concatenated */
    @SuppressWarnings("ArrayRecordComponent") // Megabytes for a large volume; compared by content here only.
    record Content(String node, String sha256, String lsn, byte[] regionDigests) {
        private byte[] region(int index) {
            int from = index * DIGEST_BYTES;
            return from >= regionDigests.length
                    ? new byte[0]
                    : Arrays.copyOfRange(regionDigests, from, Math.min(from + DIGEST_BYTES, regionDigests.length));
        }
    }

    /** @param groups nodes with equal content there, largest group first */
    record Difference(int region, long offsetBytes, List<List<String>> groups) {}

    static boolean identical(List<Content> contents) {
        return contents.stream().map(Content::sha256).distinct().count() <= 1
                && contents.stream().map(Content::lsn).distinct().count() <= 1
                && contents.stream()
                        .allMatch(c -> Arrays.equals(
                                c.regionDigests(), contents.getFirst().regionDigests()));
    }

    /** Every region in which not all are equal. */
    static List<Difference> differences(List<Content> contents) {
        int regions = contents.stream()
                .mapToInt(c -> (c.regionDigests().length + DIGEST_BYTES - 1) / DIGEST_BYTES)
                .max()
                .orElse(0);
        List<Difference> differences = new ArrayList<>();
        for (int region = 0; region < regions; region++) {
            Map<String, List<String>> byDigest = new TreeMap<>();
            for (Content content : contents) {
                byDigest.computeIfAbsent(HexFormat.of().formatHex(content.region(region)), _ -> new ArrayList<>())
                        .add(content.node());
            }
            if (byDigest.size() > 1) {
                List<List<String>> groups = byDigest.values().stream()
                        .sorted((a, b) -> Integer.compare(b.size(), a.size()))
                        .map(List::copyOf)
                        .toList();
                differences.add(new Difference(region, (long) region * BlockGeometry.REGION_BYTES, groups));
            }
        }
        return differences;
    }
}
