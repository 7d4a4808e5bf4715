package io.gabion.csi.controller;

import io.gabion.csi.rpc.CsiFailure;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * Names of Volume objects out of names that an orchestrator chose. What can be an object's name stays as it is
 * ({@code pvc-UID}); anything else, up to 128 characters of any script, becomes {@code csi-} and a hash.
 */
public final class ObjectNames {
    private static final int MAX_REQUESTED_CHARACTERS = 128;
    private static final Pattern USABLE = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");
    private static final Pattern OBJECT = Pattern.compile("[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?");
    private static final String HASHED_PREFIX = "csi-";
    private static final int HASH_BYTES = 16;

    private ObjectNames() {}

    static String of(String requested) {
        if (requested.isEmpty()) {
            throw CsiFailure.missing("name");
        }
        if (requested.codePointCount(0, requested.length()) > MAX_REQUESTED_CHARACTERS) {
            throw CsiFailure.invalid("name has more than " + MAX_REQUESTED_CHARACTERS + " characters");
        }
        if (requested.codePoints().anyMatch(Character::isISOControl)) {
            throw CsiFailure.invalid("name contains a control character");
        }
        return USABLE.matcher(requested).matches() ? requested : HASHED_PREFIX + hash(requested);
    }

    /** Whether an object could have this name; a handle that is none belongs to no volume. */
    public static boolean isObjectName(String handle) {
        return OBJECT.matcher(handle).matches();
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, HASH_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
