package io.gabion.operator.placement;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.model.NodeName;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PlacementTest {
    private static final long GIB = 1L << 30;
    private static final PoolRules FAST = new PoolRules("fast", "", 200, 10, false);

    @Test
    void emptiestNodesAreChosenAndTheOneThatLeadsLeastLeads() {
        PlacementResult result = Placement.choose(
                List.of(
                        node("a", 100, 10, 0, 5),
                        node("b", 100, 90, 0, 4),
                        node("c", 100, 80, 0, 3),
                        node("d", 100, 70, 0, 2)),
                wish(3));
        assertThat(names(result)).containsExactly("d", "c", "b");
    }

    @Test
    void betweenEquallyFullNodesTheOneWithFewerCopiesWins() {
        PlacementResult result = Placement.choose(List.of(node("a", 100, 80, 7, 0), node("b", 100, 79, 2, 0)), wish(1));
        assertThat(names(result)).containsExactly("b");
    }

    @Test
    void promisedSpaceCountsAsFullEvenWhileNothingIsWritten() {
        NodeOffer promised = offer("a", "a", List.of(disk(100, 100)), new NodeLoad(1, 0, 150 * GIB));
        PlacementResult result = Placement.choose(List.of(promised, node("b", 100, 60, 1, 0)), wish(1));
        assertThat(names(result)).containsExactly("b");
    }

    @Test
    void twoCopiesNeverShareAFailureDomain() {
        PlacementResult result =
                Placement.choose(List.of(inDomain("a", "east"), inDomain("b", "east"), inDomain("c", "west")), wish(3));
        assertThat(names(result)).containsExactlyInAnyOrder("a", "c");
        assertThat(result.isComplete()).isFalse();
        assertThat(result.explanation())
                .isEqualTo("1 of 3 copies cannot be placed: b: failure domain east gets its copy on a");
    }

    @Test
    void everyNodeThatIsNotTakenSaysWhy() {
        List<NodeOffer> nodes = List.of(
                node("held", 100, 90, 0, 0),
                new NodeOffer(new NodeName("down"), "down", false, true, false, List.of(disk(1, 1)), NodeLoad.NONE),
                new NodeOffer(new NodeName("cordoned"), "x", true, false, false, List.of(disk(1, 1)), NodeLoad.NONE),
                new NodeOffer(new NodeName("drained"), "y", true, true, true, List.of(disk(1, 1)), NodeLoad.NONE),
                offer("bare", "bare", List.of(), NodeLoad.NONE),
                offer("nowhere", "", List.of(disk(100, 100)), NodeLoad.NONE),
                offer("near", "taken", List.of(disk(100, 100)), NodeLoad.NONE),
                offer(
                        "broken",
                        "broken",
                        List.of(new DiskOffer("fast", 1, 1, "", "input/output error")),
                        NodeLoad.NONE),
                offer("full", "full", List.of(disk(100, 10)), NodeLoad.NONE),
                offer("promised", "promised", List.of(disk(100, 90)), new NodeLoad(3, 0, 200 * GIB)),
                offer("slow", "slow", List.of(new DiskOffer("fast", 100 * GIB, 100 * GIB, "hdd", "")), NodeLoad.NONE));
        PlacementResult result = Placement.choose(
                nodes,
                new PlacementWish(
                        new PoolRules("fast", "", 200, 10, false),
                        1,
                        GIB,
                        Set.of(new NodeName("held")),
                        Set.of("taken", "slow"),
                        Optional.empty()));
        Map<String, String> reasons = new HashMap<>();
        result.reasons().forEach((node, reason) -> reasons.put(node.value(), reason));
        assertThat(reasons)
                .containsEntry("held", "holds a copy of this volume already")
                .containsEntry("down", "is not ready")
                .containsEntry("cordoned", "takes no new copies (unschedulable)")
                .containsEntry("drained", "is being drained")
                .containsEntry("bare", "no disk in pool fast")
                .containsEntry("nowhere", "lacks the label that names its failure domain")
                .containsEntry("near", "another copy is in its failure domain taken")
                .containsEntry("broken", "disk cannot be used: input/output error")
                .containsEntry("full", "is full: 10Gi free, 10Gi are kept for rebuilds")
                .containsEntry("promised", "1Gi more would promise 201Gi, pool fast allows 200Gi here (200 %)")
                .hasSize(11);
    }

    @Test
    void mediaClassIsObeyed() {
        PlacementWish wish = new PlacementWish(
                new PoolRules("fast", "ssd", 200, 10, false), 1, GIB, Set.of(), Set.of(), Optional.empty());
        PlacementResult result = Placement.choose(
                List.of(offer("a", "a", List.of(new DiskOffer("fast", 100 * GIB, 90 * GIB, "hdd", "")), NodeLoad.NONE)),
                wish);
        assertThat(result.explanation())
                .isEqualTo("1 of 1 copies cannot be placed: a: its disk is hdd, pool fast wants ssd");
    }

    @Test
    void aRebuildMayUseTheReserve() {
        List<NodeOffer> nodes = List.of(node("a", 100, 5, 0, 0));
        assertThat(Placement.choose(nodes, wish(1)).isComplete()).isFalse();
        PlacementWish rebuild = new PlacementWish(FAST.forRebuild(), 1, GIB, Set.of(), Set.of(), Optional.empty());
        assertThat(Placement.choose(nodes, rebuild).isComplete()).isTrue();
    }

    @Test
    void thePreferredNodeLeadsThoughOthersAreEmptier() {
        PlacementResult result = Placement.choose(
                List.of(node("a", 100, 90, 0, 0), node("b", 100, 90, 0, 0), node("z", 100, 20, 9, 9)),
                new PlacementWish(FAST, 2, GIB, Set.of(), Set.of(), Optional.of(new NodeName("z"))));
        assertThat(names(result)).containsExactly("z", "a");
    }

    @Test
    void withoutNodesThePoolIsSaidToBeEmpty() {
        assertThat(Placement.choose(List.of(), wish(3)).explanation())
                .isEqualTo("3 of 3 copies cannot be placed: no node belongs to the pool");
    }

    /** Properties that hold for every cluster; the seed of a failing one is in the message. */
    @Test
    void randomClustersNeverBreakTheRules() {
        for (long seed = 0; seed < 3000; seed++) {
            Random random = new Random(seed);
            List<NodeOffer> nodes = randomCluster(random);
            PlacementWish wish = randomWish(random, nodes);
            PlacementResult result = Placement.choose(nodes, wish);
            Map<NodeName, NodeOffer> byName = new HashMap<>();
            nodes.forEach(n -> byName.put(n.name(), n));
            Set<String> domains = new HashSet<>(wish.closedDomains());
            for (NodeName chosen : result.nodes()) {
                NodeOffer node = byName.get(chosen);
                assertThat(node).as("seed %d", seed).isNotNull();
                assertThat(domains.add(node.domain()))
                        .as("seed %d: domain twice", seed)
                        .isTrue();
                assertThat(wish.occupied()).as("seed %d", seed).doesNotContain(chosen);
                assertThat(node.ready() && node.schedulable() && !node.draining())
                        .as("seed %d", seed)
                        .isTrue();
                assertThat(node.disks())
                        .as("seed %d", seed)
                        .anyMatch(d -> d.pool().equals("fast")
                                && d.fault().isEmpty()
                                && d.freeBytes() > 0
                                && node.load().provisionedBytes() + wish.sizeBytes() <= 2 * d.capacityBytes());
            }
            assertThat(result.nodes().size()).as("seed %d", seed).isLessThanOrEqualTo(wish.copies());
            if (!result.isComplete()) {
                // Incomplete only when no free domain is left: every other node has its reason.
                assertThat(result.reasons().size() + result.nodes().size())
                        .as("seed %d", seed)
                        .isEqualTo(nodes.size());
            }
            List<NodeOffer> shuffled = new ArrayList<>(nodes);
            Collections.shuffle(shuffled, random);
            assertThat(Placement.choose(shuffled, wish))
                    .as("seed %d: order matters", seed)
                    .isEqualTo(result);
        }
    }

    @Test
    void manyVolumesEndUpEvenlySpread() {
        int nodes = 7;
        int[] copies = new int[nodes];
        long[] provisioned = new long[nodes];
        for (int volume = 0; volume < 300; volume++) {
            List<NodeOffer> offers = IntStream.range(0, nodes)
                    .mapToObj(i -> offer(
                            "n" + i, "n" + i, List.of(disk(1000, 1000)), new NodeLoad(copies[i], 0, provisioned[i])))
                    .toList();
            for (NodeName name : Placement.choose(offers, wish(3)).nodes()) {
                int index = Integer.parseInt(name.value().substring(1));
                copies[index]++;
                provisioned[index] += GIB;
            }
        }
        int[] sorted = copies.clone();
        java.util.Arrays.sort(sorted);
        assertThat(sorted[nodes - 1] - sorted[0]).isLessThanOrEqualTo(1);
    }

    private static List<NodeOffer> randomCluster(Random random) {
        List<NodeOffer> nodes = new ArrayList<>();
        int count = random.nextInt(9);
        for (int i = 0; i < count; i++) {
            long capacity = (1 + random.nextInt(100)) * GIB;
            List<DiskOffer> disks = random.nextInt(5) == 0
                    ? List.of()
                    : List.of(new DiskOffer(
                            random.nextInt(4) == 0 ? "slow" : "fast",
                            capacity,
                            (long) (random.nextDouble() * capacity),
                            "",
                            random.nextInt(6) == 0 ? "broken" : ""));
            nodes.add(new NodeOffer(
                    new NodeName("n" + i),
                    random.nextInt(10) == 0 ? "" : "d" + random.nextInt(5),
                    random.nextInt(6) != 0,
                    random.nextInt(8) != 0,
                    random.nextInt(10) == 0,
                    disks,
                    new NodeLoad(random.nextInt(10), random.nextInt(4), random.nextInt(150) * GIB)));
        }
        return nodes;
    }

    private static PlacementWish randomWish(Random random, List<NodeOffer> nodes) {
        Set<NodeName> occupied = new HashSet<>();
        nodes.stream().filter(n -> random.nextInt(5) == 0).forEach(n -> occupied.add(n.name()));
        return new PlacementWish(
                FAST,
                random.nextInt(6),
                (1 + random.nextInt(20)) * GIB,
                occupied,
                random.nextBoolean() ? Set.of() : Set.of("d" + random.nextInt(5)),
                random.nextBoolean() ? Optional.empty() : Optional.of(new NodeName("n" + random.nextInt(9))));
    }

    private static PlacementWish wish(int copies) {
        return new PlacementWish(FAST, copies, GIB, Set.of(), Set.of(), Optional.empty());
    }

    private static List<String> names(PlacementResult result) {
        return result.nodes().stream().map(NodeName::value).toList();
    }

    private static NodeOffer node(String name, long capacityGib, long freeGib, int replicas, int primaries) {
        return offer(name, name, List.of(disk(capacityGib, freeGib)), new NodeLoad(replicas, primaries, 0));
    }

    private static NodeOffer inDomain(String name, String domain) {
        return offer(name, domain, List.of(disk(100, 50)), NodeLoad.NONE);
    }

    private static NodeOffer offer(String name, String domain, List<DiskOffer> disks, NodeLoad load) {
        return new NodeOffer(new NodeName(name), domain, true, true, false, disks, load);
    }

    private static DiskOffer disk(long capacityGib, long freeGib) {
        return new DiskOffer("fast", capacityGib * GIB, freeGib * GIB, "", "");
    }
}
