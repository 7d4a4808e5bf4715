package io.gabion.wire;

/** Decides on inbound connections, after certificate and Hello were found in order. Called on the connection's loop. */
@FunctionalInterface
public interface Acceptor {
    Admission accept(Hello peer);
}
