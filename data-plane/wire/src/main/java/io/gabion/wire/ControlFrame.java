package io.gabion.wire;

import io.gabion.model.ClusterId;
import java.util.Optional;

/** What the two ends of a connection say about the connection itself. */
sealed interface ControlFrame {
    /** Who I am: the accepting side first, then the connecting one. */
    record Introduction(Hello hello) implements ControlFrame {}

    /** The accepting side speaks {@code version} with you from here on. */
    record Welcome(int version) implements ControlFrame {}

    /** I do not speak with you. Last frame. */
    record Refused(Refusal refusal, String detail) implements ControlFrame {}

    /** I close in good order. Last frame. */
    record Goodbye(String reason) implements ControlFrame {}

    /** I am alive. */
    record KeepAlive() implements ControlFrame {}

    static void write(FrameWriter out, ControlFrame frame) {
        switch (frame) {
            case Introduction f -> writeHello(out, f.hello());
            case Welcome f -> {
                out.begin(FrameType.WELCOME);
                out.u16(f.version());
            }
            case Refused f -> {
                out.begin(FrameType.REFUSED);
                out.u8(f.refusal().code()).reason(f.detail());
            }
            case Goodbye f -> {
                out.begin(FrameType.GOODBYE);
                out.reason(f.reason());
            }
            case KeepAlive _ -> out.begin(FrameType.KEEP_ALIVE);
        }
        out.finish();
    }

    private static void writeHello(FrameWriter out, Hello hello) {
        out.begin(FrameType.HELLO);
        out.u16(hello.minVersion())
                .u16(hello.maxVersion())
                .u8(hello.role().code())
                .uuid(hello.cluster().value())
                .node(hello.node())
                .uuid(hello.process())
                .uuid(hello.boot())
                .text(hello.softwareVersion());
    }

    /** Later versions may add fields at the end of a Hello: how two versions that differ can still meet. */
    static Introduction readHello(FrameBody in) {
        int minVersion = in.u16();
        int maxVersion = in.u16();
        int code = in.u8();
        Role role = Role.ofCode(code).orElseThrow(() -> in.malformed("unknown role " + code));
        Hello hello = new Hello(
                minVersion, maxVersion, role, new ClusterId(in.uuid()), in.node(), in.uuid(), in.uuid(), in.text());
        in.skipRest();
        return new Introduction(hello);
    }

    static Welcome readWelcome(FrameBody in) {
        return new Welcome(in.u16());
    }

    /** A refusal that this version does not know is reported as BUSY: the text tells the rest. */
    static Refused readRefused(FrameBody in) {
        Optional<Refusal> refusal = Refusal.ofCode(in.u8());
        return new Refused(refusal.orElse(Refusal.BUSY), in.reason());
    }

    static Goodbye readGoodbye(FrameBody in) {
        return new Goodbye(in.reason());
    }
}
