package io.gabion.wire;

import io.gabion.model.NodeName;
import io.gabion.wire.ControlFrame.Goodbye;
import io.gabion.wire.ControlFrame.Introduction;
import io.gabion.wire.ControlFrame.KeepAlive;
import io.gabion.wire.ControlFrame.Refused;
import io.gabion.wire.ControlFrame.Welcome;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What follows TLS: the accepting side introduces itself, then the connecting one, then the accepting side says Welcome or
 * Refused. The accepting side speaks first, so that nothing is under way to it while it may still refuse: a refusal would be
 * lost with a reset.
 */
final class Handshake {
    /** What to do next. */
    sealed interface Step {
        /** Wait for the next frame. */
        record Wait() implements Step {}

        /** Send this, then wait for the next frame. */
        record Say(ControlFrame frame) implements Step {}

        /** Send this and close. */
        record Refuse(Refused refused) implements Step {}

        /** The peer refused. */
        record WasRefused(Refused refused) implements Step {}

        /** The peer left before the end. */
        record Left(String reason) implements Step {}

        /** Done. {@code welcome} is to be sent first where present. */
        record Agreed(Hello peer, int version, ConnectionHandler handler, Optional<Welcome> welcome) implements Step {}

        /** The frame has no place here. */
        record OutOfPlace(String what) implements Step {}
    }

    private final Hello self;
    private final @Nullable NodeName expected;
    private final @Nullable Acceptor acceptor;
    private final @Nullable ConnectionHandler caller;
    private @Nullable PeerIdentity certified;
    private @Nullable Hello peer;

    private Handshake(
            Hello self, @Nullable NodeName expected, @Nullable Acceptor acceptor, @Nullable ConnectionHandler caller) {
        this.self = self;
        this.expected = expected;
        this.acceptor = acceptor;
        this.caller = caller;
    }

    static Handshake accepting(Hello self, Acceptor acceptor) {
        return new Handshake(self, null, acceptor, null);
    }

    static Handshake connecting(Hello self, NodeName expected, ConnectionHandler handler) {
        return new Handshake(self, expected, null, handler);
    }

    /** True on the side that connects. */
    boolean connecting() {
        return caller != null;
    }

    /** The handler that learns of a failure; null on the accepting side. */
    @Nullable
    ConnectionHandler caller() {
        return caller;
    }

    /** Whom this is with, as far as it is known. */
    String peerText() {
        PeerIdentity identity = certified;
        if (identity != null) {
            return identity.role() + "/" + identity.node();
        }
        return expected == null ? "unknown peer" : Role.NODE + "/" + expected;
    }

    /** TLS is done. */
    Step certificate(Optional<PeerIdentity> identity) {
        certified = identity.orElse(null);
        Refused obstacle = HelloCheck.ofCertificate(identity, self.identity(), expected);
        if (obstacle != null) {
            return new Step.Refuse(obstacle);
        }
        return connecting() ? new Step.Wait() : new Step.Say(new Introduction(self));
    }

    Step received(ControlFrame frame) {
        return switch (frame) {
            case Introduction f -> introduced(f.hello());
            case Welcome f -> welcomed(f.version());
            case Refused f -> new Step.WasRefused(f);
            case Goodbye f -> new Step.Left(f.reason());
            case KeepAlive _ -> new Step.Wait();
        };
    }

    private Step introduced(Hello hello) {
        PeerIdentity identity = certified;
        if (peer != null || identity == null) {
            return new Step.OutOfPlace("a second Hello, or one before TLS");
        }
        Refused obstacle = HelloCheck.ofHello(hello, identity, self);
        if (obstacle != null) {
            return new Step.Refuse(obstacle);
        }
        peer = hello;
        Acceptor judge = acceptor;
        if (judge == null) {
            return new Step.Say(new Introduction(self));
        }
        int version = HelloCheck.commonVersion(hello, self);
        return switch (judge.accept(hello)) {
            case Admission.Accepted a ->
                new Step.Agreed(hello, version, a.handler(), Optional.of(new Welcome(version)));
            case Admission.Refused r -> new Step.Refuse(new Refused(r.refusal(), r.detail()));
        };
    }

    private Step welcomed(int version) {
        Hello known = peer;
        ConnectionHandler handler = caller;
        if (known == null || handler == null) {
            return new Step.OutOfPlace("Welcome before Hello");
        }
        if (version != HelloCheck.commonVersion(known, self)) {
            return new Step.OutOfPlace("Welcome to version " + version + ", which is not the highest common one");
        }
        return new Step.Agreed(known, version, handler, Optional.empty());
    }
}
