package io.gabion.agent.session;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.gabion.agent.nbd.ExportTable;
import io.gabion.agent.nbd.NbdServer;
import io.gabion.agent.session.AttachException.Kind;
import io.gabion.core.session.AgentSession;
import io.gabion.core.session.SessionSettings;
import io.gabion.core.session.SessionView;
import io.gabion.model.VolumeId;
import io.gabion.wire.EventLoops;
import io.gabion.wire.WireOptions;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The volumes that this agent serves: opens and closes their sessions, exports them over NBD, and remembers them across
 * restarts. Calls may block for seconds and come from any thread but an event loop; changes of one agent are made one after
 * the other, waiting for a session to open is not one.
 */
public final class Attachments {
    private static final Logger LOG = LoggerFactory.getLogger(Attachments.class);
    /** A loop that does not answer for so long is stuck. */
    private static final long LOOP_TIMEOUT_SECONDS = 10;
    /** How long a detach waits for requests under way; their clients are gone already. */
    private static final long DRAIN_MILLIS = 5_000;

    private static final long DRAIN_POLL_MILLIS = 20;
    /**
     * Request numbers start at the wall clock's milliseconds times this, so that a restarted agent does not repeat its
     * predecessor's: room for 10^9 requests a second.
     */
    private static final int NUMBER_SHIFT = 20;
    /** Added to the predecessor's start where the clock went back: more requests than one process can ever make. */
    private static final long MOST_REQUESTS_OF_A_PROCESS = 1L << 50;

    private final List<NodeLinks> linksByLoop;
    private final ExportTable exports;
    private final AttachmentFiles files;
    private final Path socket;
    private final Function<Attachment, SessionObserver> observers;
    private final UUID instance = UUID.randomUUID();
    private final Map<VolumeId, VolumeExport> attached = new LinkedHashMap<>();
    private @Nullable NbdServer server;
    private int nextLoop;

    /**
     * @param socket of the NBD server, for URIs
     * @param observers makes the observer of a new session
     */
    public Attachments(
            WireOptions wire,
            ExportTable exports,
            AttachmentFiles files,
            Path socket,
            Function<Attachment, SessionObserver> observers) {
        EventLoops loops = wire.loops();
        this.linksByLoop =
                loops.all().stream().map(loop -> NodeLinks.of(wire, loop)).toList();
        this.exports = requireNonNull(exports, "exports is null");
        this.files = requireNonNull(files, "files is null");
        this.socket = requireNonNull(socket, "socket is null");
        this.observers = requireNonNull(observers, "observers is null");
    }

    /** The server whose connections end with a detach. */
    public synchronized void serveWith(NbdServer nbd) {
        server = nbd;
    }

    /** Serves again what the last process served. Does not wait for sessions. */
    public synchronized void restore() throws IOException {
        for (Attachment former : files.load()) {
            Attachment attachment = former.withFirstRequestNumber(firstNumberAfter(former.firstRequestNumber()));
            files.store(attachment);
            VolumeExport export = open(attachment);
            if (attachment.sizeBytes() > 0 && !exports.add(export)) {
                LOG.error("export name of volume {} is taken, it is not served", attachment.describe());
            }
            var _ = export.firstOpen().thenAcceptAsync(size -> rememberSize(export, size), Thread::startVirtualThread);
            LOG.info("volume {} was attached before the restart and is opened again", attachment.describe());
        }
    }

    /**
     * Opens the volume and exports it; returns when both are done. Asking again for the same is no error. A higher generation
     * replaces a lower one.
     *
     * @return size in bytes
     */
    public long attach(Attachment wanted, long timeoutMillis) throws AttachException, InterruptedException {
        VolumeExport export = begin(wanted);
        try {
            long size = export.firstOpen().get(timeoutMillis, TimeUnit.MILLISECONDS);
            rememberSize(export, size);
            return size;
        } catch (TimeoutException e) {
            String reason = view(export).reason();
            abandon(export);
            throw new AttachException(
                    Kind.TIMEOUT,
                    "volume " + wanted.describe() + " did not open within " + timeoutMillis + " ms: " + reason,
                    e);
        } catch (ExecutionException e) {
            abandon(export);
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new AttachException(
                    Kind.FENCED, "volume " + wanted.describe() + " cannot be opened: " + cause.getMessage(), e);
        }
    }

    private synchronized VolumeExport begin(Attachment wanted) throws AttachException {
        VolumeExport present = attached.get(wanted.volume());
        if (present != null) {
            Attachment attachment = present.attachment();
            String state = view(present).state();
            boolean same = attachment.generation() == wanted.generation()
                    && attachment.exportName().equals(wanted.exportName())
                    && attachment.readOnly() == wanted.readOnly()
                    && !state.equals("fenced");
            // A session that is open knows its way; one that seeks may be looking in the wrong places.
            boolean moved = !state.equals("open") && !attachment.nodes().equals(wanted.nodes());
            if (same && !moved) {
                return present;
            }
            if (!same && attachment.generation() >= wanted.generation()) {
                throw new AttachException(
                        Kind.CONFLICT,
                        "volume is attached here as " + attachment.describe()
                                + ": detach it first, or ask with a higher generation");
            }
            close(present);
        }
        for (VolumeExport other : attached.values()) {
            if (other.name().equals(wanted.exportName())) {
                throw new AttachException(
                        Kind.CONFLICT,
                        "export name \"" + wanted.exportName() + "\" is taken by volume "
                                + other.attachment().describe());
            }
        }
        Attachment attachment = wanted.withFirstRequestNumber(firstNumberAfter(0));
        try {
            files.store(attachment);
        } catch (IOException e) {
            throw new AttachException(Kind.LOCAL, "cannot remember the attachment: " + e.getMessage(), e);
        }
        return open(attachment);
    }

    private VolumeExport open(Attachment attachment) {
        NodeLinks links = linksByLoop.get(nextLoop++ % linksByLoop.size());
        AgentSession session = new AgentSession(
                attachment.volume(),
                attachment.generation(),
                instance,
                attachment.nodes().stream().map(NodeAddress::node).toList(),
                attachment.firstRequestNumber(),
                SessionSettings.standard(),
                new BufferEditor(ByteBufAllocator.DEFAULT));
        VolumeExport export = new VolumeExport(attachment, session, links, observers.apply(attachment));
        attached.put(attachment.volume(), export);
        var _ = export.fenced().thenAcceptAsync(reason -> forget(export), Thread::startVirtualThread);
        export.start();
        return export;
    }

    private static long firstNumberAfter(long former) {
        long byClock = System.currentTimeMillis() << NUMBER_SHIFT;
        return byClock > former ? byClock : former + MOST_REQUESTS_OF_A_PROCESS;
    }

    /** Now that the size is known: export it, and know it at once after a restart. */
    private synchronized void rememberSize(VolumeExport export, long size) {
        if (attached.get(export.volume()) != export) {
            return;
        }
        exports.add(export);
        if (export.attachment().sizeBytes() != size) {
            try {
                files.store(export.attachment().withSizeBytes(size));
            } catch (IOException e) {
                LOG.warn(
                        "cannot remember the size of {}: {}",
                        export.attachment().describe(),
                        e.toString());
            }
        }
    }

    /** A fenced session stays, so that its clients learn why; but a restarted agent must not take the volume back. */
    private synchronized void forget(VolumeExport export) {
        if (attached.get(export.volume()) != export) {
            return;
        }
        try {
            files.delete(export.volume());
        } catch (IOException e) {
            LOG.warn("cannot forget {}: {}", export.attachment().describe(), e.toString());
        }
    }

    private synchronized void abandon(VolumeExport export) {
        if (attached.get(export.volume()) == export) {
            close(export);
        }
    }

    /** Refuses new connections, ends those that are open, and closes the session. Nothing attached: nothing to do. */
    public synchronized void detach(VolumeId volume) {
        VolumeExport export = attached.get(volume);
        if (export != null) {
            close(export);
        }
    }

    private void close(VolumeExport export) {
        exports.remove(export);
        NbdServer nbd = server;
        if (nbd != null) {
            nbd.closeConnections(export);
        }
        drain(export);
        try {
            export.close().get(LOOP_TIMEOUT_SECONDS, TimeUnit.SECONDS);
            files.delete(export.volume());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException | IOException e) {
            LOG.warn("closing {}: {}", export.attachment().describe(), e.toString());
        }
        attached.remove(export.volume(), export);
    }

    private static void drain(VolumeExport export) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DRAIN_MILLIS);
        SessionView view = view(export);
        try {
            while (view.state().equals("open")
                    && view.outstanding() + view.queued() > 0
                    && System.nanoTime() < deadline) {
                TimeUnit.MILLISECONDS.sleep(DRAIN_POLL_MILLIS);
                view = view(export);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static SessionView view(VolumeExport export) {
        try {
            return export.view().get(LOOP_TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException(
                    "the event loop of " + export.attachment().describe() + " is stuck", e);
        }
    }

    /** One attachment as people see it. */
    public record Listed(Attachment attachment, String nbdUri, SessionView view) {}

    public List<Listed> list() {
        List<VolumeExport> all;
        synchronized (this) {
            all = new ArrayList<>(attached.values());
        }
        return all.stream()
                .map(export -> new Listed(export.attachment(), nbdUri(export.attachment()), view(export)))
                .toList();
    }

    public String nbdUri(Attachment attachment) {
        String name = URLEncoder.encode(attachment.exportName(), UTF_8).replace("+", "%20");
        return "nbd+unix:///" + name + "?socket=" + socket.toAbsolutePath();
    }
}
