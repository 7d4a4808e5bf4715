package io.gabion.agent.nbd;

import org.jspecify.annotations.Nullable;

/**
 * One request of a client, cut into the commands that the export takes, until its reply is written. Used on the connection's
 * event loop only.
 */
abstract class Transaction {
    /** Commands of one request under way at once: enough to keep replicas busy, bounded so that a long one is no flood. */
    private static final int MAX_PARALLEL_COMMANDS = 8;

    final long cookie;
    private final Transmission connection;
    private int issued;
    private int inFlight;
    private boolean issuing;
    private boolean ended;
    private @Nullable NbdErrno failure;

    Transaction(Transmission connection, long cookie) {
        this.connection = connection;
        this.cookie = cookie;
    }

    /** The next command to give to the export, null when there is none (yet). */
    abstract @Nullable BlockCommand next();

    /** True when {@link #next} will never return a command again. */
    abstract boolean exhausted();

    /** A command succeeded; {@code index} counts the commands from 0 in order of {@link #next}. */
    abstract void succeeded(int index, BlockOutcome outcome, ReplyWriter replies);

    /** All commands succeeded: write the (rest of the) reply. */
    abstract void reply(ReplyWriter replies);

    /** Lets go of what was kept for the reply. */
    void abandon() {}

    /** Bytes of payload that this request may hold in memory. */
    abstract int payloadBytes();

    /** Commands that may be under way at once. */
    int maxParallel() {
        return MAX_PARALLEL_COMMANDS;
    }

    /** Gives commands to the export as far as allowed; ends the request when there is nothing left to wait for. */
    final void issue() {
        if (issuing || ended) {
            return;
        }
        issuing = true;
        while (failure == null && inFlight < maxParallel()) {
            BlockCommand command = next();
            if (command == null) {
                break;
            }
            submit(command);
        }
        issuing = false;
        endIfComplete();
    }

    private void submit(BlockCommand command) {
        inFlight++;
        connection.submit(command, new Part(this, issued++));
    }

    /** Fails the request with this error once its commands under way have ended. */
    final void fail(NbdErrno error) {
        if (failure == null) {
            failure = error;
        }
    }

    final boolean hasFailed() {
        return failure != null;
    }

    private void completed(int index, BlockOutcome outcome) {
        inFlight--;
        switch (outcome) {
            case BlockOutcome.Failed(var reason) -> fail(NbdErrno.of(reason));
            case BlockOutcome.Found(var payload) when failure != null || connection.isClosed() -> payload.release();
            case BlockOutcome.Found _, BlockOutcome.Done _, BlockOutcome.Allocation _ -> {
                if (failure == null && !connection.isClosed()) {
                    succeeded(index, outcome, connection.replies());
                }
            }
        }
        if (connection.isClosed()) {
            fail(NbdErrno.SHUTDOWN);
        }
        issue();
    }

    private void endIfComplete() {
        NbdErrno error = failure;
        boolean more = !exhausted() && (error == null || waitsForClient());
        if (ended || inFlight > 0 || more) {
            return;
        }
        ended = true;
        if (connection.isClosed()) {
            abandon();
        } else if (error != null) {
            abandon();
            connection.replies().failure(cookie, error);
        } else {
            reply(connection.replies());
        }
        connection.ended(this);
    }

    /** True while the client still sends this request's payload: no reply before it was taken from the stream. */
    boolean waitsForClient() {
        return false;
    }

    /** Completion of one command. */
    static final class Part implements BlockCompletion {
        private final Transaction transaction;
        private final int index;

        @Nullable
        BlockOutcome outcome;

        Part(Transaction transaction, int index) {
            this.transaction = transaction;
            this.index = index;
        }

        @Override
        public void complete(BlockOutcome result) {
            outcome = result;
            transaction.connection.completed(this);
        }

        /** On the connection's event loop. */
        void deliver() {
            BlockOutcome result = outcome;
            if (result == null) {
                throw new IllegalStateException("delivered before its completion");
            }
            transaction.completed(index, result);
        }
    }
}
