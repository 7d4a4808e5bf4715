package io.gabion.api.certificate;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;

/** A fresh P-256 key and the request (PKCS#10, RFC 2986) for its certificate. */
final class SigningRequest {
    private static final String COMMON_NAME = "2.5.4.3";
    private static final String ORGANIZATION = "2.5.4.10";
    private static final String EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
    private static final String SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
    private static final String ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
    private static final int GENERAL_NAME_URI = 6;
    private static final int PEM_LINE = 64;

    private final KeyPair keys;
    private final byte[] der;

    private SigningRequest(KeyPair keys, byte[] der) {
        this.keys = keys;
        this.der = der;
    }

    static SigningRequest create(Identity identity) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            KeyPair keys = generator.generateKeyPair();
            byte[] info = Der.sequence(
                    Der.zero(), subject(identity), keys.getPublic().getEncoded(), attributes(identity.uri()));
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(keys.getPrivate());
            signature.update(info);
            byte[] der =
                    Der.sequence(info, Der.sequence(Der.identifier(ECDSA_WITH_SHA256)), Der.bits(signature.sign()));
            return new SigningRequest(keys, der);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK has no ECDSA on P-256", e);
        }
    }

    private static byte[] subject(Identity identity) {
        return Der.sequence(
                Der.set(Der.sequence(Der.identifier(ORGANIZATION), Der.utf8(identity.role()))),
                Der.set(Der.sequence(Der.identifier(COMMON_NAME), Der.utf8(identity.name()))));
    }

    private static byte[] attributes(String uri) {
        byte[] names = Der.sequence(Der.context(GENERAL_NAME_URI, uri.getBytes(StandardCharsets.US_ASCII)));
        byte[] extensions = Der.sequence(Der.sequence(Der.identifier(SUBJECT_ALTERNATIVE_NAME), Der.octets(names)));
        return Der.contextAround(0, Der.sequence(Der.identifier(EXTENSION_REQUEST), Der.set(extensions)));
    }

    byte[] publicKey() {
        return keys.getPublic().getEncoded();
    }

    String keyPem() {
        return pem("PRIVATE KEY", keys.getPrivate().getEncoded());
    }

    String requestPem() {
        return pem("CERTIFICATE REQUEST", der);
    }

    private static String pem(String type, byte[] content) {
        Base64.Encoder encoder = Base64.getMimeEncoder(PEM_LINE, new byte[] {'\n'});
        return "-----BEGIN " + type + "-----\n" + encoder.encodeToString(content) + "\n-----END " + type + "-----\n";
    }
}
