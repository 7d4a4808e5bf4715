package io.gabion.agent.nbd;

import io.gabion.wire.Backend;
import io.gabion.wire.EventLoops;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Serves a device in memory as export {@code memory}: to measure the front end alone. Arguments: socket path, size in MiB, I/O
 * back end (default auto), event loops (default 1). Runs until killed.
 */
public final class ServeMemory {
    private static final long MIB = 1024 * 1024;

    private ServeMemory() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        if (arguments.length < 2 || arguments.length > 4) {
            System.err.println("usage: ServeMemory SOCKET SIZE_MIB [auto|io_uring|epoll|nio [LOOPS]]");
            System.exit(2);
        }
        Backend.Choice backend = arguments.length > 2 ? Backend.Choice.parse(arguments[2]) : Backend.Choice.AUTO;
        int size = arguments.length > 3 ? Integer.parseInt(arguments[3]) : 1;
        ExportTable exports = new ExportTable();
        exports.add(new MemoryExport("memory", Long.parseLong(arguments[1]) * MIB, false));
        try (EventLoops loops = EventLoops.start(backend, size, "nbd");
                NbdServer server = new NbdServer(loops, exports, true)) {
            server.listenUnix(Path.of(arguments[0]));
            System.out.println(
                    "nbd+unix:///memory?socket=" + Path.of(arguments[0]).toAbsolutePath());
            Thread.currentThread().join();
        }
    }
}
