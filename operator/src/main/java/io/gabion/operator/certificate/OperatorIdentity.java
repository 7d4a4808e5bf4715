package io.gabion.operator.certificate;

import io.gabion.protocol.control.ControlRole;
import io.gabion.protocol.control.ControlTls;
import io.gabion.protocol.control.PeerIdentity;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The operator's own certificate, made by its own authority whenever a third of the last one's life is over. Safe for any thread. */
public final class OperatorIdentity {
    private static final Duration RENEW_AFTER = CertificateAuthority.LEAF_LIFETIME.dividedBy(3);
    private static final String NAME = "gabion-operator";

    private final Path directory;
    private final InstantSource clock;
    private @Nullable ControlTls current;
    private @Nullable CertificateAuthority issuer;
    private Instant renewAt = Instant.EPOCH;

    /** @param directory private to this process; keys are written there, readable by this user only */
    public OperatorIdentity(Path directory, InstantSource clock) {
        this.directory = directory;
        this.clock = clock;
    }

    /** Empty until there is an authority. */
    public synchronized Optional<ControlTls> tls(Optional<CertificateAuthority> authority) throws IOException {
        if (authority.isEmpty()) {
            return Optional.empty();
        }
        Instant now = clock.instant();
        boolean changed = issuer == null || !issuer.sameAs(authority.get());
        if (current == null || changed || !now.isBefore(renewAt)) {
            current = issue(authority.get(), now);
            issuer = authority.get();
            renewAt = now.plus(RENEW_AFTER);
        }
        return Optional.of(current);
    }

    private ControlTls issue(CertificateAuthority authority, Instant now) throws IOException {
        KeyPair pair = CertificateAuthority.keyPair();
        PeerIdentity self = new PeerIdentity(authority.cluster(), ControlRole.OPERATOR, NAME);
        String stem = NAME + "-" + now.toEpochMilli();
        Path certificate = directory.resolve(stem + ".crt");
        Path key = directory.resolve(stem + ".key");
        Path ca = directory.resolve("ca.crt");
        write(key, Pem.of(pair.getPrivate()));
        write(certificate, CertificateAuthority.pem(authority.sign(pair.getPublic(), self, now)));
        write(ca, authority.certificatesPem());
        return ControlTls.load(authority.cluster(), certificate, key, ca);
    }

    private static void write(Path file, String text) throws IOException {
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, text, StandardCharsets.US_ASCII);
    }
}
