package io.gabion.csi.controller;

import io.gabion.csi.backend.StoredPool.Room;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How much a pool can still hold when every volume has {@code replicas} copies in as many failure domains.
 *
 * @param availableBytes sum of the sizes of the volumes that could still be made
 * @param largestBytes size of the largest single one: every copy must fit on one node
 */
record UsableCapacity(long availableBytes, long largestBytes) {
    /** As much as anything could be. */
    static final UsableCapacity UNKNOWN = new UsableCapacity(VolumeSizes.MAX_BYTES, VolumeSizes.MAX_BYTES);

    /** Failure domains that take copies. */
    static long domains(List<Room> rooms) {
        return rooms.stream().map(Room::domain).distinct().count();
    }

    static UsableCapacity of(List<Room> rooms, int replicas) {
        Map<String, Long> sum = new HashMap<>();
        Map<String, Long> most = new HashMap<>();
        for (Room room : rooms) {
            long bytes = Math.max(0, room.promisableBytes());
            sum.merge(room.domain(), bytes, Long::sum);
            most.merge(room.domain(), bytes, Math::max);
        }
        if (sum.size() < replicas) {
            return new UsableCapacity(0, 0);
        }
        long largest = most.values().stream()
                .sorted(Comparator.reverseOrder())
                .skip(replicas - 1L)
                .findFirst()
                .orElse(0L);
        return new UsableCapacity(available(sum, replicas), largest);
    }

    /** The largest T with sum over domains of min(room, T) >= replicas * T: no domain takes two copies of one volume. */
    private static long available(Map<String, Long> sum, int replicas) {
        long low = 0;
        long high = sum.values().stream().mapToLong(Long::longValue).sum() / replicas;
        while (low < high) {
            long middle = low + (high - low + 1) / 2;
            long placed = sum.values().stream()
                    .mapToLong(room -> Math.min(room, middle))
                    .sum();
            if (placed / replicas >= middle) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }
}
