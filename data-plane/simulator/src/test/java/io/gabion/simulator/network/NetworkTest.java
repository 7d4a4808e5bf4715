package io.gabion.simulator.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.simulator.Dice;
import io.gabion.simulator.Scheduler;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class NetworkTest {
    private static final long SECOND = 1_000_000_000;

    private final Scheduler scheduler = new Scheduler();
    private final Network network = new Network(scheduler, new Dice(3), 1_000_000);
    private final Peer client = new Peer();
    private final Peer server = new Peer();
    private @Nullable Connection connection;
    private String attempt = "";

    private static final class Peer implements Connection.End {
        private final List<Object> received = new ArrayList<>();
        private boolean lost;

        @Override
        public void received(Object message) {
            received.add(message);
        }

        @Override
        public void lost() {
            lost = true;
        }
    }

    private Connection connect() {
        network.connect("a", "b", client, new Network.Attempt() {
            @Override
            public void connected(Connection made) {
                attempt = "connected";
                connection = made;
            }

            @Override
            public void refused() {
                attempt = "refused";
            }

            @Override
            public void timedOut() {
                attempt = "timed out";
            }
        });
        pass();
        Connection made = connection;
        return made == null ? new Connection(network, scheduler, new Dice(1), "a", "b") : made;
    }

    private void pass() {
        scheduler.runUntil(scheduler.nowNanos() + 5 * SECOND);
    }

    @Test
    void messagesArriveInOrder() {
        network.listen("b", (_, _) -> server);
        Connection made = connect();
        for (int i = 0; i < 100; i++) {
            made.send(client, i);
        }
        pass();
        assertThat(server.received)
                .isEqualTo(java.util.stream.IntStream.range(0, 100).boxed().toList());
    }

    @Test
    void nobodyListeningIsARefusalAndNoPowerATimeout() {
        connect();
        assertThat(attempt).isEqualTo("refused");
        network.setPower("b", false);
        connect();
        assertThat(attempt).isEqualTo("timed out");
    }

    @Test
    void cutHoldsBackAndMendingDelivers() {
        network.listen("b", (_, _) -> server);
        Connection made = connect();
        network.cut("a", "b");
        made.send(client, "held");
        made.send(server, "passes");
        pass();
        assertThat(server.received).isEmpty();
        assertThat(client.received).containsExactly("passes");
        network.mend("a", "b");
        pass();
        assertThat(server.received).containsExactly("held");
    }

    @Test
    void resetReachesBothEndsAndNothingFollows() {
        network.listen("b", (_, _) -> server);
        Connection made = connect();
        network.resetBetween("a", "b");
        pass();
        made.send(client, "late");
        pass();
        assertThat(client.lost).isTrue();
        assertThat(server.lost).isTrue();
        assertThat(server.received).isEmpty();
    }
}
