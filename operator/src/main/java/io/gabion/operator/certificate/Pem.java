package io.gabion.operator.certificate;

import io.gabion.api.certificate.CertificateFiles;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;

/** The text form of certificates and keys (RFC 7468). */
final class Pem {
    private static final int LINE_CHARACTERS = 64;
    private static final Base64.Encoder BASE64 = Base64.getMimeEncoder(LINE_CHARACTERS, new byte[] {'\n'});
    /** No key or certificate of ours comes near it. */
    private static final int MAX_CHARACTERS = 64 * 1024;

    private Pem() {}

    static String of(X509Certificate certificate) throws CertificateException {
        return block("CERTIFICATE", certificate.getEncoded());
    }

    static String of(PrivateKey key) {
        return block("PRIVATE KEY", key.getEncoded());
    }

    private static String block(String label, byte[] der) {
        return "-----BEGIN " + label + "-----\n" + BASE64.encodeToString(der) + "\n-----END " + label + "-----\n";
    }

    /** All certificates in the text, at least one. */
    static List<X509Certificate> certificates(String pem) throws CertificateException {
        if (pem.length() > MAX_CHARACTERS) {
            throw new CertificateException("more than " + MAX_CHARACTERS + " characters");
        }
        return CertificateFiles.certificates(pem);
    }

    static PrivateKey key(String pem) throws GeneralSecurityException {
        return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(der("PRIVATE KEY", pem)));
    }

    /** The content of the block with that label; throws {@link IllegalArgumentException} when there is none. */
    static byte[] der(String label, String pem) {
        String begin = "-----BEGIN " + label + "-----";
        int from = pem.indexOf(begin);
        int to = pem.indexOf("-----END " + label + "-----");
        if (pem.length() > MAX_CHARACTERS || from < 0 || to < from) {
            throw new IllegalArgumentException("there is no PEM block " + label);
        }
        return Base64.getMimeDecoder().decode(pem.substring(from + begin.length(), to));
    }
}
