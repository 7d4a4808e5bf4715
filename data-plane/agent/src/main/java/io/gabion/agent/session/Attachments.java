package io.gabion.agent.session;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.gabion.agent.fuse.VolumeDevices;
import io.gabion.agent.nbd.ExportTable;
import io.gabion.agent.nbd.NbdServer;
import io.gabion.agent.session.AttachException.Kind;
import io.gabion.agent.session.Attachment.DeviceKind;
import io.gabion.api.time.Pause;
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
import java.time.Duration;
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
    /** Growing takes the primary one swap of the volume's record. */
    private static final long RESIZE_POLL_MILLIS = 50;
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
    private final NodeBook book;
    private final DeviceSide deviceSide;
    private final Path socket;
    private final Function<Attachment, SessionObserver> observers;
    private final UUID instance = UUID.randomUUID();
    private final Map<VolumeId, VolumeExport> attached = new LinkedHashMap<>();
    private @Nullable NbdServer server;
    private int nextLoop;

    /**
     * @param book where the nodes of the cluster are
     * @param devices makes block devices of volumes that ask for it
     * @param socket of the NBD server, for URIs
     * @param observers makes the observer of a new session
     */
    public Attachments(
            WireOptions wire,
            ExportTable exports,
            AttachmentFiles files,
            NodeBook book,
            VolumeDevices devices,
            Path socket,
            Function<Attachment, SessionObserver> observers) {
        EventLoops loops = wire.loops();
        this.linksByLoop =
                loops.all().stream().map(loop -> NodeLinks.of(wire, loop)).toList();
        this.exports = requireNonNull(exports, "exports is null");
        this.files = requireNonNull(files, "files is null");
        this.book = requireNonNull(book, "book is null");
        this.deviceSide = new DeviceSide(devices);
        this.socket = requireNonNull(socket, "socket is null");
        this.observers = requireNonNull(observers, "observers is null");
    }

    /** The server whose connections end with a detach. */
    public synchronized void serveWith(NbdServer nbd) {
        server = nbd;
    }

    /** Serves again what the last process served, devices included. Does not wait for sessions. */
    public synchronized void restore() throws IOException {
        for (Attachment former : files.load()) {
            Attachment attachment = former.withFirstRequestNumber(firstNumberAfter(former.firstRequestNumber()));
            files.store(attachment);
            VolumeExport export = open(attachment);
            if (attachment.sizeBytes() > 0 && !exports.add(export)) {
                LOG.error("export name of volume {} is taken, it is not served", attachment.describe());
            }
            if (!deviceSide.resume(export)) {
                // Whoever needs it attaches it anew; a session without a device would be a ghost that nobody detaches.
                close(export);
                continue;
            }
            var _ = export.firstOpen().thenAcceptAsync(size -> rememberSize(export, size), Thread::startVirtualThread);
            LOG.info("volume {} was attached before the restart", attachment.describe());
        }
        deviceSide.closeUnclaimed();
    }

    /**
     * What a volume is attached as.
     *
     * @param devicePath empty where it is no block device
     */
    public record Attached(long sizeBytes, String devicePath) {}

    private record Begun(VolumeExport export, boolean fresh) {}

    /**
     * Opens the volume, exports it and makes its device; returns when all is done. Asking again for the same is no error. A
     * higher generation replaces a lower one.
     */
    public Attached attach(Attachment wanted, long timeoutMillis) throws AttachException, InterruptedException {
        if (wanted.nodes().isEmpty() && book.isEmpty()) {
            throw new IllegalArgumentException("nodes is empty, and UpdateNodes has named none either");
        }
        Begun begun = begin(wanted);
        VolumeExport export = begun.export();
        try {
            long size = export.firstOpen().get(timeoutMillis, TimeUnit.MILLISECONDS);
            rememberSize(export, size);
            return new Attached(size, device(export));
        } catch (TimeoutException e) {
            String reason = view(export).reason();
            abandon(begun);
            throw new AttachException(
                    Kind.TIMEOUT,
                    "volume " + wanted.describe() + " did not open within " + timeoutMillis + " ms: " + reason,
                    e);
        } catch (ExecutionException e) {
            abandon(begun);
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new AttachException(
                    Kind.FENCED, "volume " + wanted.describe() + " cannot be opened: " + cause.getMessage(), e);
        } catch (IOException e) {
            abandon(begun);
            throw new AttachException(
                    Kind.LOCAL, "no device for volume " + wanted.describe() + ": " + e.getMessage(), e);
        }
    }

    private String device(VolumeExport export) throws IOException {
        String path = deviceSide.make(export);
        synchronized (this) {
            if (attached.get(export.volume()) == export) {
                return path;
            }
        }
        deviceSide.remove(export);
        throw new IOException("it was detached meanwhile");
    }

    private synchronized Begun begin(Attachment wanted) throws AttachException {
        VolumeExport present = attached.get(wanted.volume());
        if (present != null) {
            Attachment attachment = present.attachment();
            boolean same = attachment.generation() == wanted.generation()
                    && attachment.exportName().equals(wanted.exportName())
                    && attachment.readOnly() == wanted.readOnly()
                    && attachment.device() == wanted.device()
                    && !isFenced(present);
            if (same) {
                rename(present, wanted.nodes());
                return new Begun(present, false);
            }
            if (attachment.generation() >= wanted.generation()) {
                throw new AttachException(
                        Kind.CONFLICT,
                        "volume is attached here as " + attachment.describe()
                                + ": detach it first, or ask with a higher generation");
            }
            deviceSide.takeAway(present, isFenced(present));
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
        return new Begun(open(attachment), true);
    }

    /** A session that seeks may be looking in the wrong places. */
    private static void rename(VolumeExport export, List<NodeAddress> nodes) {
        if (!nodes.isEmpty() && !export.attachment().nodes().equals(nodes)) {
            export.name(nodes);
        }
    }

    private static boolean isFenced(VolumeExport export) {
        return view(export).state().equals("fenced");
    }

    private VolumeExport open(Attachment attachment) {
        NodeLinks links = linksByLoop.get(nextLoop++ % linksByLoop.size());
        Whereabouts whereabouts = new Whereabouts(attachment.nodes(), book);
        AgentSession session = new AgentSession(
                attachment.volume(),
                attachment.generation(),
                instance,
                whereabouts.candidates(),
                attachment.firstRequestNumber(),
                SessionSettings.standard(),
                new BufferEditor(ByteBufAllocator.DEFAULT));
        VolumeExport export = new VolumeExport(
                attachment,
                session,
                links,
                whereabouts,
                observers.apply(attachment),
                grown -> Thread.startVirtualThread(() -> rememberSize(grown, grown.sizeBytes())));
        attached.put(attachment.volume(), export);
        var _ = export.fenced()
                .thenAcceptAsync(
                        reason -> {
                            forget(export, reason);
                            deviceSide.shutDownFileSystem(export);
                        },
                        Thread::startVirtualThread);
        if (attachment.failure().isEmpty()) {
            export.start();
        } else {
            var _ = export.fail(attachment.failure());
        }
        return export;
    }

    private static long firstNumberAfter(long former) {
        long byClock = System.currentTimeMillis() << NUMBER_SHIFT;
        return byClock > former ? byClock : former + MOST_REQUESTS_OF_A_PROCESS;
    }

    /** Now that the size is known: export it, let its device follow, and know it at once after a restart. */
    private void rememberSize(VolumeExport export, long size) {
        synchronized (this) {
            if (attached.get(export.volume()) != export || export.fenced().isDone()) {
                return;
            }
            exports.add(export);
            try {
                files.store(export.attachment().withSizeBytes(size));
            } catch (IOException e) {
                LOG.warn(
                        "cannot remember the size of {}: {}",
                        export.attachment().describe(),
                        e.toString());
            }
        }
        try {
            deviceSide.grow(export);
        } catch (IOException e) {
            LOG.error("the device of {} did not grow: {}", export.attachment().describe(), e.getMessage());
        }
    }

    /**
     * A fenced session stays, so that its clients learn why; but a restarted agent must not take the volume back. Where a device
     * may be in use, the next process must still know that it has to fail.
     */
    private synchronized void forget(VolumeExport export, String reason) {
        if (attached.get(export.volume()) != export) {
            return;
        }
        try {
            if (export.attachment().device() == DeviceKind.FUSE_LOOP) {
                files.store(
                        export.attachment().withSizeBytes(export.sizeBytes()).withFailure(reason));
            } else {
                files.delete(export.volume());
            }
        } catch (IOException e) {
            LOG.warn("cannot forget {}: {}", export.attachment().describe(), e.toString());
        }
    }

    /** Undoes what this very attach began; what was there before stays. */
    private void abandon(Begun begun) {
        VolumeExport export = begun.export();
        if (begun.fresh()) {
            synchronized (this) {
                if (attached.get(export.volume()) == export) {
                    close(export);
                }
            }
        }
    }

    /**
     * Takes the device away, refuses new connections, ends those that are open, and closes the session. Nothing attached:
     * nothing to do.
     *
     * @param force also when the device is in use
     */
    public void detach(VolumeId volume, boolean force) throws AttachException {
        VolumeExport export;
        synchronized (this) {
            export = attached.get(volume);
        }
        if (export == null) {
            return;
        }
        deviceSide.takeAway(export, force || isFenced(export));
        synchronized (this) {
            if (attached.get(volume) == export) {
                close(export);
            }
        }
    }

    /** Where the nodes of the cluster are now; all sessions follow. */
    public void updateNodes(List<NodeAddress> nodes) throws AttachException {
        try {
            if (!book.replace(nodes)) {
                return;
            }
        } catch (IOException e) {
            throw new AttachException(Kind.LOCAL, "cannot remember the nodes: " + e.getMessage(), e);
        }
        LOG.info("{} storage nodes are known now", nodes.size());
        synchronized (this) {
            attached.values().forEach(VolumeExport::nodesChanged);
        }
    }

    /**
     * Asks the primary for the size and lets the device follow.
     *
     * @param atLeastBytes asks again until it is reached
     * @return the size
     */
    public long resize(VolumeId volume, long atLeastBytes, long timeoutMillis)
            throws AttachException, InterruptedException {
        VolumeExport export = present(volume);
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
        try {
            while (true) {
                long size = export.refresh().get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
                deviceSide.grow(export);
                if (size >= atLeastBytes) {
                    rememberSize(export, size);
                    return size;
                }
                if (System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(RESIZE_POLL_MILLIS) > deadline) {
                    throw new AttachException(
                            Kind.TIMEOUT,
                            "volume " + export.attachment().describe() + " has " + size + " bytes, not yet "
                                    + atLeastBytes);
                }
                Pause.REAL.last(Duration.ofMillis(RESIZE_POLL_MILLIS));
            }
        } catch (TimeoutException e) {
            throw new AttachException(
                    Kind.TIMEOUT,
                    "volume " + export.attachment().describe() + " has no primary now: "
                            + view(export).reason(),
                    e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new AttachException(
                    Kind.FENCED, "volume " + export.attachment().describe() + ": " + cause.getMessage(), e);
        } catch (IOException e) {
            throw new AttachException(Kind.LOCAL, e.getMessage() == null ? "growing failed" : e.getMessage(), e);
        }
    }

    /** Makes every request fail from now on, until the volume is detached, and ends a mounted file system. */
    public void fail(VolumeId volume, String reason) throws AttachException, InterruptedException {
        try {
            VolumeExport export = present(volume);
            export.fail(reason).get(LOOP_TIMEOUT_SECONDS, TimeUnit.SECONDS);
            deviceSide.shutDownFileSystem(export);
        } catch (ExecutionException | TimeoutException e) {
            throw new AttachException(Kind.LOCAL, "the event loop of volume " + volume + " is stuck", e);
        }
    }

    private synchronized VolumeExport present(VolumeId volume) throws AttachException {
        VolumeExport export = attached.get(volume);
        if (export == null) {
            throw new AttachException(Kind.ABSENT, "volume " + volume + " is not attached here");
        }
        return export;
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
                Pause.REAL.last(Duration.ofMillis(DRAIN_POLL_MILLIS));
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

    /**
     * One attachment as people see it.
     *
     * @param devicePath empty where there is no device
     */
    public record Listed(Attachment attachment, String nbdUri, String devicePath, SessionView view) {}

    public List<Listed> list() {
        List<VolumeExport> all;
        synchronized (this) {
            all = new ArrayList<>(attached.values());
        }
        return all.stream()
                .map(export -> new Listed(
                        export.attachment().withSizeBytes(export.sizeBytes()),
                        nbdUri(export.attachment()),
                        deviceSide.path(export),
                        view(export)))
                .toList();
    }

    public String nbdUri(Attachment attachment) {
        String name = URLEncoder.encode(attachment.exportName(), UTF_8).replace("+", "%20");
        return "nbd+unix:///" + name + "?socket=" + socket.toAbsolutePath();
    }
}
