package io.gabion.agent.linux;

import java.io.IOException;

/** Error numbers of Linux, as far as they are told apart here. */
public final class Errno {
    public static final int EPERM = 1;
    public static final int ENOENT = 2;
    public static final int EINTR = 4;
    public static final int EIO = 5;
    public static final int ENXIO = 6;
    public static final int EAGAIN = 11;
    public static final int EACCES = 13;
    public static final int EBUSY = 16;
    public static final int EEXIST = 17;
    public static final int ENODEV = 19;
    public static final int EINVAL = 22;
    public static final int ENOTTY = 25;
    public static final int ENOSPC = 28;
    public static final int EROFS = 30;
    public static final int ENOSYS = 38;
    public static final int EOPNOTSUPP = 95;
    public static final int ENOTCONN = 107;

    private Errno() {}

    /** For people: a word where there is one, else the number. */
    public static String text(int number) {
        return switch (number) {
            case EPERM -> "not permitted (EPERM: run as root with CAP_SYS_ADMIN)";
            case ENOENT -> "no such file (ENOENT)";
            case EIO -> "input/output error (EIO)";
            case ENXIO -> "no such device (ENXIO)";
            case EACCES -> "permission denied (EACCES)";
            case EBUSY -> "busy (EBUSY)";
            case ENODEV -> "no such device, or the kernel lacks the module (ENODEV)";
            case EINVAL -> "invalid argument (EINVAL)";
            case ENOTTY -> "not supported by this kernel (ENOTTY)";
            case ENOSPC -> "no space (ENOSPC)";
            case ENOTCONN -> "its server is gone (ENOTCONN)";
            default -> "error number " + number;
        };
    }

    /** The result of a call, if it succeeded. */
    public static int check(int result, String operation) throws IOException {
        if (result < 0) {
            throw new IOException(operation + ": " + text(-result));
        }
        return result;
    }
}
