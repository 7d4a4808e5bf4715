package io.gabion.node.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class TurnsTest {
    private final Turns turns = new Turns(2);

    @Test
    void everyOneHasItsTurnAlthoughNoneGoes() {
        List<String> all = List.of("a", "b", "c", "d", "e");
        assertThat(turns.next(all)).containsExactly("a", "b");
        assertThat(turns.next(all)).containsExactly("c", "d");
        assertThat(turns.next(all)).containsExactly("e", "a");
    }

    @Test
    void aShortListIsTakenAsAWhole() {
        assertThat(turns.next(List.of("a"))).containsExactly("a");
        assertThat(turns.next(List.of())).isEmpty();
        assertThat(turns.next(List.of("a", "b"))).containsExactlyInAnyOrder("a", "b");
    }

    @Test
    void aListThatBecameShorterIsNoTrouble() {
        assertThat(turns.next(List.of("a", "b", "c", "d", "e"))).containsExactly("a", "b");
        assertThat(turns.next(List.of("e"))).containsExactly("e");
    }
}
