package io.gabion.protocol.control;

import static java.util.Objects.requireNonNull;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/** An address as people write it: {@code 127.0.0.1:7400}, {@code node-1.example:7400}, {@code [::1]:7400}. */
public record HostPort(String host, int port) {
    private static final int MAX_PORT = 65535;

    public HostPort {
        requireNonNull(host, "host is null");
        if (port < 0 || port > MAX_PORT) {
            throw new IllegalArgumentException("the port must be 0 to " + MAX_PORT + ", not " + port);
        }
    }

    /** Throws {@link IllegalArgumentException} that quotes the text when it is not HOST:PORT. */
    public static HostPort parse(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon <= 0 ? "" : text.substring(0, colon);
        boolean bracketed = host.startsWith("[") && host.endsWith("]");
        if (bracketed) {
            host = host.substring(1, host.length() - 1);
        }
        if (host.isEmpty() || (!bracketed && host.indexOf(':') >= 0)) {
            throw new IllegalArgumentException("\"" + text + "\" is not HOST:PORT");
        }
        try {
            return new HostPort(host, Integer.parseInt(text, colon + 1, text.length(), 10));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("\"" + text + "\" is not HOST:PORT", e);
        }
    }

    /** {@link #parse Parses} and resolves; a host that is not known is an {@link IllegalArgumentException}, too. */
    public static InetSocketAddress resolve(String text) {
        HostPort parsed = parse(text);
        try {
            return parsed.resolve();
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("the host \"" + parsed.host() + "\" is unknown", e);
        }
    }

    /** Looks the host up; the first address counts. */
    public InetSocketAddress resolve() throws UnknownHostException {
        return new InetSocketAddress(InetAddress.getAllByName(host)[0], port);
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
