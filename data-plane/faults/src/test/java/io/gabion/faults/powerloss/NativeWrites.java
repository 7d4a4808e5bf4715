package io.gabion.faults.powerloss;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** A write with flags of its own, which Java cannot make: pwritev2(2) on a direct file. */
final class NativeWrites {
    static final int RWF_DSYNC = 2;

    private static final int ALIGNMENT = 4096;
    private static final int O_RDWR = 2;
    private static final int O_DIRECT = "aarch64".equals(System.getProperty("os.arch")) ? 0x10000 : 0x4000;
    private static final MethodHandle WRITE = handle();

    private NativeWrites() {}

    private static MethodHandle handle() {
        Linker linker = Linker.nativeLinker();
        FunctionDescriptor descriptor =
                FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG, JAVA_INT);
        return linker.downcallHandle(linker.defaultLookup().findOrThrow("pwritev2"), descriptor);
    }

    static void write(Path path, byte[] bytes, long offset, int flags) throws IOException {
        LinuxCalls calls = new LinuxCalls();
        int descriptor = calls.open(path.toString(), O_RDWR | O_DIRECT | LinuxCalls.O_CLOEXEC);
        if (descriptor < 0) {
            throw new IOException(path + " cannot be opened: errno " + -descriptor);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(bytes.length, ALIGNMENT);
            data.copyFrom(MemorySegment.ofArray(bytes));
            MemorySegment vector = arena.allocate(16, 8);
            vector.set(ADDRESS, 0, data);
            vector.set(JAVA_LONG, 8, bytes.length);
            long written = (long) WRITE.invokeExact(descriptor, vector, 1, offset, flags);
            if (written != bytes.length) {
                throw new IOException("pwritev2 answered " + written);
            }
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("pwritev2 could not be called", e);
        } finally {
            calls.close(descriptor);
        }
    }
}
