package io.gabion.wire;

import static java.util.Objects.requireNonNull;

/**
 * What all connections of a process share.
 *
 * @param self how this process introduces itself; must be what {@code tls} certifies
 */
public record WireOptions(EventLoops loops, Hello self, TlsIdentity tls, WireLimits limits, WireCounters counters) {
    public WireOptions {
        requireNonNull(loops, "loops is null");
        requireNonNull(self, "self is null");
        requireNonNull(tls, "tls is null");
        requireNonNull(limits, "limits is null");
        requireNonNull(counters, "counters is null");
        if (!tls.identity().equals(self.identity())) {
            throw new IllegalArgumentException("this process is " + self.identity() + ", but its certificate "
                    + tls.certificateFile() + " is for " + tls.identity());
        }
    }

    public static WireOptions of(EventLoops loops, Hello self, TlsIdentity tls) {
        return new WireOptions(loops, self, tls, WireLimits.DEFAULT, new WireCounters());
    }

    public WireOptions withLimits(WireLimits newLimits) {
        return new WireOptions(loops, self, tls, newLimits, counters);
    }
}
