package io.gabion.agent.session;

import static java.util.Objects.requireNonNull;

import io.gabion.agent.nbd.BlockCommand;
import io.gabion.agent.nbd.BlockCompletion;
import io.gabion.agent.nbd.BlockExport;
import io.gabion.agent.nbd.BlockFailure;
import io.gabion.agent.nbd.BlockOutcome;
import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.ClientMessage.IoStatus;
import io.gabion.core.message.Payload;
import io.gabion.core.session.AgentSession;
import io.gabion.core.session.BlockRequest;
import io.gabion.core.session.SessionEffect;
import io.gabion.core.session.SessionEvent;
import io.gabion.core.session.SessionView;
import io.gabion.model.ByteRange;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeId;
import io.gabion.wire.WireLoop;
import io.netty.util.collection.LongObjectHashMap;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A volume as a block device: drives its {@link AgentSession} on one event loop. Commands come from any thread; those of other
 * loops are handed over in batches.
 *
 * <p>Effects are carried out after the step that emitted them, and events that they cause (a completion makes the client send
 * its next request) wait until then: the session is never entered twice.
 */
public final class VolumeExport implements BlockExport, NodeLinks.Subscriber {
    private static final Logger LOG = LoggerFactory.getLogger(VolumeExport.class);
    private static final long NEVER = Long.MAX_VALUE;
    /** So long the nodes that were named are searched alone; a failover between them takes less. */
    private static final long NAMED_ONLY_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final Attachment attachment;
    private final AgentSession session;
    private final NodeLinks links;
    private final WireLoop loop;
    private final SessionObserver observer;
    private final Whereabouts whereabouts;
    private final Consumer<VolumeExport> resized;
    private final CompletableFuture<Long> firstOpen = new CompletableFuture<>();
    private final CompletableFuture<String> fenced = new CompletableFuture<>();
    private volatile long sizeBytes;

    private final Queue<Submission> fromElsewhere = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean handoverScheduled = new AtomicBoolean();

    // On the loop only.
    private final LongObjectHashMap<Waiting> waiting = new LongObjectHashMap<>();
    private final ArrayDeque<SessionEvent> events = new ArrayDeque<>();
    private final ArrayDeque<SessionEffect> effects = new ArrayDeque<>();
    private long nextId = 1;
    private boolean stepping;
    /** The session was made to open again only to learn something. */
    private boolean refreshing;

    private final List<CompletableFuture<Long>> refreshes = new ArrayList<>();
    private @Nullable String failure;
    private long armedForNanos = NEVER;
    private @Nullable ScheduledFuture<?> timer;

    private record Submission(BlockCommand command, BlockCompletion completion) {}

    private record Waiting(BlockRequest.Kind kind, BlockCompletion completion) {}

    /**
     * @param session not started yet; looks on the candidates of {@code whereabouts}
     * @param links of the loop on which the session will live
     * @param resized told, on the loop, when an open session learned another size than before
     */
    VolumeExport(
            Attachment attachment,
            AgentSession session,
            NodeLinks links,
            Whereabouts whereabouts,
            SessionObserver observer,
            Consumer<VolumeExport> resized) {
        this.attachment = requireNonNull(attachment, "attachment is null");
        this.session = requireNonNull(session, "session is null");
        this.links = requireNonNull(links, "links is null");
        this.loop = links.loop();
        this.whereabouts = requireNonNull(whereabouts, "whereabouts is null");
        this.observer = requireNonNull(observer, "observer is null");
        this.resized = requireNonNull(resized, "resized is null");
        this.sizeBytes = attachment.sizeBytes();
    }

    /** Begins to look for the primary. Any thread. */
    public void start() {
        loop.execute(() -> {
            step(new SessionEvent.Start());
            widenLater();
        });
    }

    /** The node book changed. Any thread. */
    void nodesChanged() {
        loop.execute(this::lookAgain);
    }

    private void lookAgain() {
        List<NodeName> candidates = whereabouts.candidates();
        Set<NodeName> needed = new HashSet<>(candidates);
        session.view().primary().ifPresent(needed::add);
        step(new SessionEvent.Nodes(candidates));
        if (isOver()) {
            return;
        }
        links.keepOnly(needed, this);
        for (NodeName node : needed) {
            whereabouts.address(node).ifPresent(links::moveTo);
        }
    }

    /** More nodes that may have replicas, and where they are. Any thread. */
    void name(List<NodeAddress> nodes) {
        loop.execute(() -> {
            whereabouts.name(nodes);
            lookAgain();
        });
    }

    private boolean isOver() {
        String state = session.view().state();
        return state.equals("closed") || state.equals("fenced");
    }

    private void widenLater() {
        var _ = loop.schedule(
                () -> {
                    if (isOver() || session.view().state().equals("open") || !whereabouts.widen()) {
                        return;
                    }
                    LOG.warn("volume {} is looked for on every node now", attachment.describe());
                    lookAgain();
                },
                NAMED_ONLY_NANOS);
    }

    /**
     * Opens the session again, to learn the volume's size as it is now; requests wait meanwhile.
     *
     * @return the size, once the session is open
     */
    CompletableFuture<Long> refresh() {
        CompletableFuture<Long> result = new CompletableFuture<>();
        loop.execute(() -> {
            SessionView view = session.view();
            if (isOver()) {
                result.completeExceptionally(new IllegalStateException(view.reason()));
                return;
            }
            refreshes.add(result);
            view.primary().ifPresent(primary -> {
                refreshing = true;
                step(new SessionEvent.LinkDown(primary));
                step(new SessionEvent.LinkUp(primary));
            });
        });
        return result;
    }

    /** Ends for good as if another agent had taken the volume over: every request fails from now on. Any thread. */
    CompletableFuture<Void> fail(String reason) {
        return CompletableFuture.runAsync(
                () -> {
                    if (failure == null) {
                        failure = reason;
                        step(new SessionEvent.Closed());
                    }
                },
                loop);
    }

    /** The size in bytes, once the session is open for the first time; fails when it is stopped before. */
    public CompletableFuture<Long> firstOpen() {
        return firstOpen;
    }

    /** Completes with the reason when another agent has taken the volume over; never otherwise. */
    public CompletableFuture<String> fenced() {
        return fenced;
    }

    /** Leaves in good order: nothing is served from now on. Completes when done. */
    public CompletableFuture<Void> close() {
        return CompletableFuture.runAsync(() -> step(new SessionEvent.Closed()), loop);
    }

    /** The session now. */
    public CompletableFuture<SessionView> view() {
        return CompletableFuture.supplyAsync(this::viewNow, loop);
    }

    private SessionView viewNow() {
        SessionView view = session.view();
        String why = failure;
        return why == null
                ? view
                : new SessionView(
                        "fenced",
                        view.primary(),
                        view.session(),
                        view.epoch(),
                        view.sizeBytes(),
                        view.outstanding(),
                        view.queued(),
                        view.oldestSinceNanos(),
                        why);
    }

    public Attachment attachment() {
        return attachment;
    }

    // ---- the device
    @Override
    public String name() {
        return attachment.exportName();
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public boolean readOnly() {
        return attachment.readOnly();
    }

    @Override
    public void submit(BlockCommand command, BlockCompletion completion) {
        if (loop.inLoop()) {
            begin(command, completion);
            return;
        }
        fromElsewhere.add(new Submission(command, completion));
        if (handoverScheduled.compareAndSet(false, true)) {
            loop.execute(this::takeOver);
        }
    }

    private void takeOver() {
        handoverScheduled.set(false);
        for (Submission next = fromElsewhere.poll(); next != null; next = fromElsewhere.poll()) {
            begin(next.command(), next.completion());
        }
    }

    private void begin(BlockCommand command, BlockCompletion completion) {
        BlockRequest request = request(nextId++, command);
        waiting.put(request.id(), new Waiting(request.kind(), completion));
        step(new SessionEvent.Submitted(request));
    }

    private static BlockRequest request(long id, BlockCommand command) {
        return switch (command) {
            case BlockCommand.Read(var range) -> plain(id, BlockRequest.Kind.READ, range);
            case BlockCommand.Write(var range, var payload) ->
                new BlockRequest(id, BlockRequest.Kind.WRITE, range, Optional.of(payload));
            case BlockCommand.Trim(var range) -> plain(id, BlockRequest.Kind.TRIM, range);
            case BlockCommand.Zero(var range) -> plain(id, BlockRequest.Kind.ZERO, range);
            case BlockCommand.Flush _ -> plain(id, BlockRequest.Kind.FLUSH, new ByteRange(0, 0));
            case BlockCommand.Status(var range) -> plain(id, BlockRequest.Kind.STATUS, range);
        };
    }

    private static BlockRequest plain(long id, BlockRequest.Kind kind, ByteRange range) {
        return new BlockRequest(id, kind, range, Optional.empty());
    }

    // ---- links
    @Override
    public VolumeId volume() {
        return attachment.volume();
    }

    @Override
    public void linkUp(NodeName node) {
        step(new SessionEvent.LinkUp(node));
    }

    @Override
    public void linkDown(NodeName node) {
        step(new SessionEvent.LinkDown(node));
    }

    @Override
    public void received(NodeName node, ClientMessage.Response message) {
        if (message instanceof ClientMessage.NotPrimary(var _, var _, var hint, var _)
                && hint.isPresent()
                && whereabouts.learn(hint.get())) {
            lookAgain();
        }
        step(new SessionEvent.Received(node, message));
    }

    // ---- the session
    private void step(SessionEvent event) {
        events.add(event);
        if (stepping) {
            return;
        }
        stepping = true;
        try {
            for (SessionEvent next = events.poll(); next != null; next = events.poll()) {
                session.step(next, System.nanoTime(), effects::add);
                for (SessionEffect effect = effects.poll(); effect != null; effect = effects.poll()) {
                    carryOut(effect);
                }
            }
        } finally {
            stepping = false;
        }
        arm();
    }

    private void carryOut(SessionEffect effect) {
        switch (effect) {
            case SessionEffect.Connect(var node) -> {
                NodeAddress address = whereabouts
                        .address(node)
                        .orElseThrow(() -> new IllegalStateException("no address of node " + node));
                links.want(address, this);
            }
            case SessionEffect.Send(var node, var message) -> links.send(node, message);
            case SessionEffect.Complete(var id, var outcome) -> complete(id, outcome);
            case SessionEffect.Open(var node, var epoch, var size, var pauseNanos) ->
                opened(node, epoch, size, pauseNanos);
            case SessionEffect.Seeking(var reason) -> {
                if (!refreshing) {
                    LOG.warn("volume {} waits: {}", attachment.describe(), reason);
                }
                widenLater();
            }
            case SessionEffect.Stopped(var reason) -> stopped(reason);
            case SessionEffect.Timed(var kind, var bytes, var totalNanos, var server) ->
                observer.finished(kind, bytes, totalNanos, server);
        }
    }

    private void complete(long id, io.gabion.core.session.BlockOutcome outcome) {
        Waiting request = waiting.remove(id);
        if (request == null) {
            throw new IllegalStateException("completion of request " + id + ", which is not under way");
        }
        BlockOutcome result =
                switch (outcome) {
                    case io.gabion.core.session.BlockOutcome.Ok _ -> BlockOutcome.Done.DONE;
                    case io.gabion.core.session.BlockOutcome.Data(Payload payload) -> new BlockOutcome.Found(payload);
                    case io.gabion.core.session.BlockOutcome.Extents(List<ClientMessage.Extent> extents) ->
                        new BlockOutcome.Allocation(extents);
                    case io.gabion.core.session.BlockOutcome.Failed(IoStatus status) ->
                        failed(request.kind(), failure(status));
                    case io.gabion.core.session.BlockOutcome.Stopped _ -> failed(request.kind(), BlockFailure.CLOSED);
                };
        request.completion().complete(result);
    }

    private BlockOutcome failed(BlockRequest.Kind kind, BlockFailure failure) {
        observer.failed(kind, failure.name());
        return new BlockOutcome.Failed(failure);
    }

    private static BlockFailure failure(IoStatus status) {
        return switch (status) {
            case OUT_OF_RANGE -> BlockFailure.OUT_OF_RANGE;
            case NO_SPACE -> BlockFailure.NO_SPACE;
            case UNREADABLE -> BlockFailure.UNREADABLE;
            case READ_ONLY -> BlockFailure.READ_ONLY;
            case OK -> throw new IllegalStateException("a failure with status OK");
        };
    }

    private void opened(NodeName node, long epoch, long size, long pauseNanos) {
        boolean otherSize = sizeBytes != size;
        boolean first = !firstOpen.isDone();
        sizeBytes = size;
        if (refreshing) {
            LOG.debug("volume {} was opened again at {}, {} bytes", attachment.describe(), node, size);
        } else if (pauseNanos > 0) {
            observer.failedOver(pauseNanos);
            LOG.info(
                    "volume {} failed over to {} in epoch {} after a pause of {} ms",
                    attachment.describe(),
                    node,
                    epoch,
                    TimeUnit.NANOSECONDS.toMillis(pauseNanos));
        } else {
            LOG.info("volume {} is open at {} in epoch {}, {} bytes", attachment.describe(), node, epoch, size);
        }
        refreshing = false;
        firstOpen.complete(size);
        if (otherSize && !first) {
            resized.accept(this);
        }
        refreshes.forEach(refresh -> refresh.complete(size));
        refreshes.clear();
    }

    private void stopped(String reason) {
        links.leave(this);
        String why = failure == null ? reason : failure;
        IllegalStateException closed = new IllegalStateException(why);
        refreshes.forEach(refresh -> refresh.completeExceptionally(closed));
        refreshes.clear();
        if (failure == null && reason.startsWith("closed")) {
            LOG.info("volume {} is closed", attachment.describe());
        } else {
            observer.fenced();
            fenced.complete(why);
            LOG.error("volume {} is fenced, every request fails from now on: {}", attachment.describe(), why);
        }
        firstOpen.completeExceptionally(closed);
    }

    private void arm() {
        long deadline = session.nextDeadlineNanos();
        if (deadline == NEVER || armedForNanos <= deadline) {
            // One that is armed too early finds nothing to do and is armed again.
            return;
        }
        ScheduledFuture<?> former = timer;
        if (former != null) {
            former.cancel(false);
        }
        armedForNanos = deadline;
        timer = loop.schedule(this::tick, Math.max(0, deadline - System.nanoTime()));
    }

    private void tick() {
        armedForNanos = NEVER;
        timer = null;
        step(new SessionEvent.Tick());
    }
}
