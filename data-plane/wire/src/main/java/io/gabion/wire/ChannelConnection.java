package io.gabion.wire;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.NodeMessage;
import io.gabion.core.message.PeerMessage;
import io.gabion.wire.ControlFrame.Goodbye;
import io.gabion.wire.ControlFrame.Refused;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection on a Netty channel, the last handler behind TLS. Everything but the documented exceptions of {@link Connection}
 * runs on the channel's loop.
 */
final class ChannelConnection extends ChannelInboundHandlerAdapter implements Connection {
    private static final Logger LOG = LoggerFactory.getLogger(ChannelConnection.class);

    private enum State {
        /** TLS or Hello under way. */
        HANDSHAKE,
        OPEN,
        /** The end is decided; nothing is sent or received any more. */
        ENDED
    }

    private final WireOptions options;
    private final WireLoop loop;
    private final Channel channel;
    private final SslHandler tls;
    private final Handshake handshake;
    private final String remote;
    private final Runnable handshakeEnded;
    private final FrameReader reader;
    private final OutboundBatch batch;
    private final SignsOfLife life;

    private volatile State state = State.HANDSHAKE;
    private volatile @Nullable Hello peer;
    private volatile int version;
    private @Nullable ConnectionHandler handler;
    private @Nullable ScheduledFuture<?> timer;
    private boolean reading;
    private boolean flushScheduled;
    private long framesCounted;

    /** @param handshakeEnded run once when the handshake is over, whether it led to a connection or not */
    ChannelConnection(
            WireOptions options,
            Channel channel,
            SslHandler tls,
            Handshake handshake,
            String remote,
            Runnable handshakeEnded) {
        this.options = options;
        this.loop = options.loops().of(channel);
        this.channel = channel;
        this.tls = tls;
        this.handshake = handshake;
        this.remote = remote;
        this.handshakeEnded = handshakeEnded;
        this.reader = new FrameReader(channel.alloc(), this::frame);
        this.batch = new OutboundBatch(channel, options.tls().engine() == TlsEngine.BORINGSSL);
        this.life = new SignsOfLife(options.limits());
    }

    // ---- Connection
    @Override
    public Hello peer() {
        Hello known = peer;
        if (known == null) {
            throw new IllegalStateException("the handshake with " + remote + " is not over");
        }
        return known;
    }

    @Override
    public int protocolVersion() {
        return version;
    }

    @Override
    public boolean outbound() {
        return handshake.connecting();
    }

    @Override
    public String remoteAddress() {
        return remote;
    }

    @Override
    public WireLoop loop() {
        return loop;
    }

    @Override
    public boolean isOpen() {
        return state == State.OPEN;
    }

    @Override
    public boolean isWritable() {
        return state == State.OPEN && channel.isWritable();
    }

    @Override
    public void send(PeerMessage message) {
        if (!loop.inLoop()) {
            onLoop(() -> send(message), () -> Payloads.release(message));
        } else if (state != State.OPEN) {
            Payloads.release(message);
        } else {
            try {
                demandFlow(FrameType.Family.PEER);
                add(out -> PeerMessageWriter.write(out, message));
            } catch (RuntimeException e) {
                Payloads.release(message);
                throw e;
            }
        }
    }

    @Override
    public void send(NodeMessage message) {
        if (!loop.inLoop()) {
            onLoop(() -> send(message), () -> {});
        } else if (state == State.OPEN) {
            demandFlow(FrameType.Family.NODE);
            add(out -> NodeMessageCodec.write(out, message));
        }
    }

    @Override
    public void send(ClientMessage message) {
        if (!loop.inLoop()) {
            onLoop(() -> send(message), () -> Payloads.release(message));
        } else if (state != State.OPEN) {
            Payloads.release(message);
        } else {
            try {
                demandFlow(
                        message instanceof ClientMessage.Request
                                ? FrameType.Family.REQUEST
                                : FrameType.Family.RESPONSE);
                add(out -> ClientMessageCodec.write(out, message));
            } catch (RuntimeException e) {
                Payloads.release(message);
                throw e;
            }
        }
    }

    @Override
    public void close(String reason) {
        if (loop.inLoop()) {
            end(new CloseReason.ClosedHere(reason), new Goodbye(reason));
        } else {
            onLoop(() -> close(reason), () -> {});
        }
    }

    @Override
    public void pauseReading() {
        setReading(false);
    }

    @Override
    public void resumeReading() {
        setReading(true);
    }

    private void setReading(boolean wanted) {
        onLoop(
                () -> {
                    life.paused(!wanted);
                    channel.config().setAutoRead(wanted);
                },
                () -> {});
    }

    /** Runs {@code task} on the loop; a failure there has no caller and ends the connection. */
    private void onLoop(Runnable task, Runnable ifEnded) {
        Runnable guarded = () -> {
            try {
                task.run();
            } catch (RuntimeException e) {
                failed(e);
            }
        };
        if (loop.inLoop()) {
            guarded.run();
            return;
        }
        try {
            loop.execute(guarded);
        } catch (RejectedExecutionException e) {
            ifEnded.run();
        }
    }

    private void demandFlow(FrameType.Family family) {
        Role receiver = peer().role();
        Role sender = options.self().role();
        if (!family.mayFlow(sender, receiver)) {
            throw new IllegalArgumentException("no " + family + " messages from " + sender + " to " + receiver);
        }
    }

    private void add(Consumer<FrameWriter> encoder) {
        batch.add(encoder);
        if (!reading && !flushScheduled) {
            flushScheduled = true;
            loop.execute(this::flushAtEndOfTurn);
        }
    }

    private void flushAtEndOfTurn() {
        flushScheduled = false;
        flush();
    }

    private void flush() {
        if (batch.isEmpty()) {
            return;
        }
        batch.flush(options.counters());
        life.sent();
        if (state == State.OPEN && !channel.isWritable()) {
            long queued = channel.bytesBeforeWritable() + options.limits().lowWaterBytes();
            if (queued > options.limits().maxQueuedBytes()) {
                end(new CloseReason.Overflow(peerText() + " does not read: " + queued + " bytes are queued"), null);
            }
        }
    }

    // ---- channel
    /** Called by whoever put this handler into an active channel, before TLS begins. */
    void begin() {
        int timeoutMillis = options.limits().handshakeTimeoutMillis();
        timer = channel.eventLoop()
                .schedule(
                        () -> end(
                                new CloseReason.HandshakeTimeout(
                                        peerText() + " did not finish the handshake within " + timeoutMillis + " ms"),
                                null),
                        timeoutMillis,
                        TimeUnit.MILLISECONDS);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof SslHandshakeCompletionEvent done && state == State.HANDSHAKE) {
            if (done.isSuccess()) {
                take(handshake.certificate(HelloCheck.certified(tls)));
            } else {
                end(Failures.ofTls(done.cause(), peerText()), null);
            }
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        try {
            if (state != State.ENDED) {
                reading = true;
                int bytes = in.readableBytes();
                reader.read(in);
                options.counters().received(reader.framesRead() - framesCounted, bytes);
                framesCounted = reader.framesRead();
            }
        } catch (WireFormatException e) {
            end(
                    new CloseReason.ProtocolError(e.fault(), peerText() + " broke the protocol: " + e.getMessage()),
                    new Goodbye("you broke the protocol: " + e.getMessage()));
        } catch (RuntimeException e) {
            failed(e);
        } finally {
            in.release();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        life.received();
        ConnectionHandler receiver = handler;
        if (state == State.OPEN && receiver != null) {
            try {
                receiver.batchComplete(this);
            } catch (RuntimeException e) {
                failed(e);
            }
        }
        reading = false;
        flush();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        ConnectionHandler receiver = handler;
        if (state == State.OPEN && receiver != null) {
            try {
                receiver.writabilityChanged(this);
            } catch (RuntimeException e) {
                failed(e);
            }
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        end(new CloseReason.Reset(peerText() + " ended the connection without a word"), null);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        end(state == State.HANDSHAKE ? Failures.ofTls(cause, peerText()) : Failures.ofOpen(cause, peerText()), null);
    }

    // ---- frames
    private void frame(FrameBody body) {
        if (state == State.ENDED) {
            body.abandon();
            return;
        }
        Inbound inbound = Inbound.read(body);
        ConnectionHandler receiver = handler;
        switch (inbound) {
            case Inbound.Control c -> control(c.frame());
            case Inbound.Peer p when receiver != null -> receiver.received(this, p.message());
            case Inbound.Node n when receiver != null -> receiver.received(this, n.message());
            case Inbound.Client c when receiver != null -> receiver.received(this, c.message());
            // The reader refuses all other families before the handshake is over.
            case Inbound.Peer _, Inbound.Node _, Inbound.Client _ -> throw new IllegalStateException("no handler yet");
        }
    }

    private void control(ControlFrame frame) {
        if (state == State.HANDSHAKE) {
            take(handshake.received(frame));
            return;
        }
        switch (frame) {
            case ControlFrame.KeepAlive _ -> {}
            case Goodbye f -> end(new CloseReason.ClosedByPeer(peerText() + " closed: " + f.reason()), null);
            case Refused f -> end(wasRefused(f), null);
            case ControlFrame.Introduction _, ControlFrame.Welcome _ ->
                throw new WireFormatException(ProtocolFault.OUT_OF_PLACE, "handshake on an open connection");
        }
    }

    private void take(Handshake.Step step) {
        switch (step) {
            case Handshake.Step.Wait _ -> {}
            case Handshake.Step.Say s -> {
                add(out -> ControlFrame.write(out, s.frame()));
                flush();
            }
            case Handshake.Step.Refuse r ->
                end(
                        new CloseReason.HandshakeRefused(
                                r.refused().refusal(),
                                false,
                                "refused " + peerText() + ": " + r.refused().detail()),
                        r.refused());
            case Handshake.Step.WasRefused r -> end(wasRefused(r.refused()), null);
            case Handshake.Step.Left l ->
                end(new CloseReason.ClosedByPeer(peerText() + " closed: " + l.reason()), null);
            case Handshake.Step.OutOfPlace o -> throw new WireFormatException(ProtocolFault.OUT_OF_PLACE, o.what());
            case Handshake.Step.Agreed a -> opened(a);
        }
    }

    private CloseReason wasRefused(Refused refused) {
        return new CloseReason.HandshakeRefused(refused.refusal(), true, peerText() + " refused: " + refused.detail());
    }

    private void opened(Handshake.Step.Agreed agreed) {
        agreed.welcome().ifPresent(welcome -> add(out -> ControlFrame.write(out, welcome)));
        peer = agreed.peer();
        version = agreed.version();
        handler = agreed.handler();
        reader.admit(agreed.peer().role(), options.self().role());
        state = State.OPEN;
        options.counters().opened();
        stopTimer();
        life.start();
        timer = channel.eventLoop()
                .scheduleAtFixedRate(this::tick, life.tickNanos(), life.tickNanos(), TimeUnit.NANOSECONDS);
        handshakeEnded.run();
        LOG.info(
                "connected with {} ({}), version {}, software {}, {} {}",
                peerText(),
                agreed.peer().process(),
                version,
                agreed.peer().softwareVersion(),
                tls.engine().getSession().getProtocol(),
                tls.engine().getSession().getCipherSuite());
        agreed.handler().connected(this);
    }

    // ---- time
    private void tick() {
        if (state != State.OPEN) {
            return;
        }
        switch (life.look(channel.isWritable())) {
            case FINE -> {}
            case PEER_SILENT ->
                end(
                        new CloseReason.Silent("nothing was heard of " + peerText() + " for "
                                + options.limits().silenceMillis() + " ms"),
                        null);
            case SAY_SOMETHING -> add(out -> ControlFrame.write(out, new ControlFrame.KeepAlive()));
        }
    }

    private void stopTimer() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    // ---- end
    /** A handler of this process threw, or what it wanted to send was wrong. */
    private void failed(RuntimeException cause) {
        LOG.error("the connection with {} is closed because its handler failed", peerText(), cause);
        end(new CloseReason.ClosedHere("handler failed: " + cause), new Goodbye("internal error"));
    }

    /** Gives the attempt up while it is not a connection yet. */
    void cancel() {
        onLoop(
                () -> {
                    if (state == State.HANDSHAKE) {
                        end(new CloseReason.ClosedHere("the attempt was cancelled"), null);
                    }
                },
                () -> {});
    }

    /** The first reason counts. The handler learns of it in a later turn: it may be what called. */
    private void end(CloseReason reason, @Nullable ControlFrame last) {
        if (state == State.ENDED) {
            return;
        }
        boolean wasOpen = state == State.OPEN;
        state = State.ENDED;
        stopTimer();
        reader.close();
        if (last != null && channel.isActive()) {
            batch.add(out -> ControlFrame.write(out, last));
            batch.flush(options.counters());
        } else {
            batch.discard();
        }
        ChannelFuture unused = channel.close();
        options.counters().ended(reason);
        if (wasOpen) {
            options.counters().closed();
        } else {
            handshakeEnded.run();
        }
        Failures.log(reason, remote, wasOpen, outbound());
        ConnectionHandler listener = wasOpen ? handler : handshake.caller();
        if (listener != null) {
            tell(listener, reason, wasOpen);
        }
    }

    private void tell(ConnectionHandler listener, CloseReason reason, boolean wasOpen) {
        Runnable call = () -> {
            try {
                if (wasOpen) {
                    listener.closed(this, reason);
                } else {
                    listener.connectFailed(reason);
                }
            } catch (RuntimeException e) {
                LOG.error("handler failed at the end of the connection with {}", peerText(), e);
            }
        };
        try {
            loop.execute(call);
        } catch (RejectedExecutionException e) {
            call.run();
        }
    }

    private String peerText() {
        return handshake.peerText() + " at " + remote;
    }

    @Override
    public String toString() {
        return peerText();
    }
}
