package io.gabion.core.volume;

import java.util.ArrayDeque;

/** What waits for appends to become durable, in their order. */
final class AppendQueue {
    /** Something that happens once the append with its ticket is durable. */
    abstract static class Pending {
        long ticket;

        abstract void durable();
    }

    private final ArrayDeque<Pending> waiting = new ArrayDeque<>();
    private long lastTicket;
    private long durableThrough;

    /** An append was issued; {@code pending} waits for it. */
    void issued(long ticket, Pending pending) {
        lastTicket = ticket;
        pending.ticket = ticket;
        waiting.addLast(pending);
    }

    /** An append was issued that nothing waits for. */
    void issued(long ticket) {
        lastTicket = ticket;
    }

    /** Runs {@code action} once everything issued so far is durable: at once when it is. */
    void whenDurable(Runnable action) {
        if (lastTicket <= durableThrough) {
            action.run();
            return;
        }
        issued(lastTicket, new Pending() {
            @Override
            void durable() {
                action.run();
            }
        });
    }

    void durable(long throughTicket) {
        durableThrough = Math.max(durableThrough, throughTicket);
        while (!waiting.isEmpty() && waiting.getFirst().ticket <= throughTicket) {
            waiting.removeFirst().durable();
        }
    }
}
