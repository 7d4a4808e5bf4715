package io.gabion.cli.placement;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.model.NodeName;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlacementTest {
    @Test
    void theNodesWithMostFreeBytesAreChosenOnceEach() {
        var choice =
                Placement.choose(List.of(node("a", 10, 0), node("b", 30, 0), node("c", 20, 0), node("d", 5, 0)), 3);
        assertThat(choice).isEqualTo(chosen("b", "c", "a"));
    }

    @Test
    void theChosenNodeWithFewestPrimariesLeads() {
        var choice = Placement.choose(List.of(node("a", 30, 4), node("b", 30, 1), node("c", 30, 2)), 3);
        assertThat(choice).isEqualTo(chosen("b", "c", "a"));
    }

    @Test
    void tooFewNodesAreAnAnswer() {
        assertThat(Placement.choose(List.of(node("a", 1, 0)), 2)).isEqualTo(new Placement.Choice.TooFew(2, 1));
    }

    private static Placement.Candidate node(String name, long free, int primaries) {
        return new Placement.Candidate(new NodeName(name), free, primaries);
    }

    private static Placement.Choice chosen(String... names) {
        return new Placement.Choice.Chosen(
                List.of(names).stream().map(NodeName::new).toList());
    }
}
