package io.gabion.api.certificate;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** The few pieces of ASN.1 DER (X.690) that a certificate request is made of. */
final class Der {
    private static final int INTEGER = 0x02;
    private static final int BIT_STRING = 0x03;
    private static final int OCTET_STRING = 0x04;
    private static final int OBJECT_IDENTIFIER = 0x06;
    private static final int UTF8_STRING = 0x0C;
    private static final int SEQUENCE = 0x30;
    private static final int SET = 0x31;
    private static final int CONTEXT = 0x80;
    private static final int CONSTRUCTED = 0x20;
    /** Lengths from here on need more than one byte. */
    private static final int LONG_FORM = 0x80;

    private static final int BITS_OF_BYTE = 8;
    private static final int BITS_OF_BASE_128 = 7;
    private static final int FIRST_ARC_FACTOR = 40;

    private Der() {}

    static byte[] sequence(byte[]... parts) {
        return tagged(SEQUENCE, join(parts));
    }

    static byte[] set(byte[]... parts) {
        return tagged(SET, join(parts));
    }

    static byte[] zero() {
        return tagged(INTEGER, new byte[1]);
    }

    static byte[] utf8(String text) {
        return tagged(UTF8_STRING, text.getBytes(StandardCharsets.UTF_8));
    }

    static byte[] octets(byte[] content) {
        return tagged(OCTET_STRING, content);
    }

    /** Whole bytes only. */
    static byte[] bits(byte[] content) {
        return tagged(BIT_STRING, join(new byte[1], content));
    }

    /** {@code [number]} around what is written in place of its own tag. */
    static byte[] context(int number, byte[] content) {
        return tagged(CONTEXT | number, content);
    }

    /** {@code [number]} around other elements. */
    static byte[] contextAround(int number, byte[]... parts) {
        return tagged(CONTEXT | CONSTRUCTED | number, join(parts));
    }

    /** From its dotted form. */
    static byte[] identifier(String dotted) {
        String[] arcs = dotted.split("\\.", -1);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(Integer.parseInt(arcs[0]) * FIRST_ARC_FACTOR + Integer.parseInt(arcs[1]));
        for (int i = 2; i < arcs.length; i++) {
            base128(out, Long.parseLong(arcs[i]));
        }
        return tagged(OBJECT_IDENTIFIER, out.toByteArray());
    }

    private static void base128(ByteArrayOutputStream out, long value) {
        int shift = 0;
        while (value >> shift >= 1L << BITS_OF_BASE_128) {
            shift += BITS_OF_BASE_128;
        }
        for (; shift > 0; shift -= BITS_OF_BASE_128) {
            out.write(((int) (value >> shift) & 0x7F) | 0x80);
        }
        out.write((int) value & 0x7F);
    }

    private static byte[] tagged(int tag, byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(tag);
        if (content.length < LONG_FORM) {
            out.write(content.length);
        } else {
            int bytes = (Integer.SIZE - Integer.numberOfLeadingZeros(content.length) + BITS_OF_BYTE - 1) / BITS_OF_BYTE;
            out.write(LONG_FORM | bytes);
            for (int i = bytes - 1; i >= 0; i--) {
                out.write(content.length >> (i * BITS_OF_BYTE));
            }
        }
        out.writeBytes(content);
        return out.toByteArray();
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
