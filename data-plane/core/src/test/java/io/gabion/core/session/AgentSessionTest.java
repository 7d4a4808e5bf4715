package io.gabion.core.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.gabion.core.message.ClientMessage;
import io.gabion.core.message.ClientMessage.IoStatus;
import io.gabion.core.message.ClientMessage.PhaseTimes;
import io.gabion.core.message.HeapPayload;
import io.gabion.core.message.Payload;
import io.gabion.model.ByteRange;
import io.gabion.model.NodeName;
import io.gabion.model.SessionId;
import io.gabion.model.VolumeId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class AgentSessionTest {
    private static final NodeName N1 = new NodeName("n1");
    private static final NodeName N2 = new NodeName("n2");
    private static final VolumeId VOLUME = new VolumeId(new UUID(1, 1));
    private static final UUID SELF = new UUID(7, 7);
    private static final long SIZE = 1 << 20;

    private final List<SessionEffect> effects = new ArrayList<>();
    private final AgentSession session =
            new AgentSession(VOLUME, 3, SELF, List.of(N1, N2), 100, SessionSettings.standard(), new HeapEditor());
    private long now = 1;
    private long nextId = 1;

    @Test
    void everyCandidateIsAskedAndTheOneThatOpensServes() {
        open(N1, 1, 1);
        assertThat(session.view().state()).isEqualTo("open");
        assertThat(session.view().primary()).contains(N1);
    }

    @Test
    void unansweredWriteIsSentAgainWithTheSameIdAfterFailover() {
        open(N1, 1, 1);
        submit(write(0, 4096, 1));
        ClientMessage.Write first = sent(ClientMessage.Write.class).getLast();
        effects.clear();
        step(new SessionEvent.LinkDown(N1));
        openedBy(N2, 2, 2);
        ClientMessage.Write second = sent(ClientMessage.Write.class).getLast();
        assertThat(second.request()).isEqualTo(first.request());
        assertThat(second.session().connection()).isEqualTo(2);
        assertThat(completions()).isEmpty();
        answer(N2, second, 2);
        assertThat(completions()).hasSize(1);
    }

    @Test
    void nodeThatJoinsLaterIsAskedAndOneThatLeftIsNot() {
        NodeName joined = new NodeName("n3");
        open(N1, 1, 1);
        effects.clear();
        step(new SessionEvent.Nodes(List.of(N2, joined)));
        assertThat(effects).contains(new SessionEffect.Connect(joined));
        assertThat(session.view().primary()).as("it serves until it is lost").contains(N1);
        step(new SessionEvent.LinkDown(N1));
        step(new SessionEvent.Nodes(List.of(N2, joined)));
        step(new SessionEvent.LinkUp(joined));
        openedBy(joined, 2, 2);
        assertThat(session.view().primary()).contains(joined);
        step(new SessionEvent.LinkDown(joined));
        effects.clear();
        step(new SessionEvent.LinkUp(N1));
        assertThat(sent(ClientMessage.Open.class)).isEmpty();
    }

    @Test
    void readThatOverlapsAResentWriteIsHeldUntilItIsAnswered() {
        open(N1, 1, 1);
        submit(write(0, 4096, 1));
        step(new SessionEvent.LinkDown(N1));
        openedBy(N2, 2, 2);
        ClientMessage.Write again = sent(ClientMessage.Write.class).getLast();
        effects.clear();
        submit(new BlockRequest(nextId++, BlockRequest.Kind.READ, new ByteRange(0, 4096), Optional.empty()));
        submit(new BlockRequest(nextId++, BlockRequest.Kind.READ, new ByteRange(8192, 4096), Optional.empty()));
        assertThat(sent(ClientMessage.Read.class))
                .extracting(r -> r.range().offset())
                .containsExactly(8192L);
        answer(N2, again, 2);
        assertThat(sent(ClientMessage.Read.class))
                .extracting(r -> r.range().offset())
                .containsExactly(8192L, 0L);
    }

    @Test
    void answersOfAnOlderEpochOrAnotherNodeAreIgnored() {
        open(N1, 5, 1);
        submit(write(0, 4096, 1));
        ClientMessage.Write write = sent(ClientMessage.Write.class).getLast();
        answer(N1, write, 4);
        answer(N2, write, 5);
        assertThat(completions()).isEmpty();
        answer(N1, write, 6);
        assertThat(completions()).hasSize(1);
        assertThat(session.view().epoch()).isEqualTo(6);
    }

    @Test
    void sectorWriteBecomesReadModifyWriteOfItsBlock() {
        open(N1, 1, 1);
        submit(write(512, 512, 9));
        ClientMessage.Read read = sent(ClientMessage.Read.class).getLast();
        assertThat(read.range()).isEqualTo(new ByteRange(0, 4096));
        byte[] old = new byte[4096];
        Arrays.fill(old, (byte) 5);
        receive(N1, new ClientMessage.ReadDone(VOLUME, read.request(), 1, HeapPayload.of(old), PhaseTimes.NONE));
        ClientMessage.Write write = sent(ClientMessage.Write.class).getLast();
        byte[] merged = HeapEditor.content(write.payload());
        assertThat(merged[511]).isEqualTo((byte) 5);
        assertThat(merged[512]).isEqualTo((byte) 9);
        assertThat(merged[1023]).isEqualTo((byte) 9);
        assertThat(merged[1024]).isEqualTo((byte) 5);
        answer(N1, write, 1);
        assertThat(completions()).hasSize(1);
    }

    @Test
    void twoSectorWritesOfOneBlockRunOneAfterTheOther() {
        open(N1, 1, 1);
        submit(write(0, 512, 1));
        submit(write(512, 512, 2));
        assertThat(sent(ClientMessage.Read.class)).hasSize(1);
        ClientMessage.Read read = sent(ClientMessage.Read.class).getLast();
        receive(
                N1,
                new ClientMessage.ReadDone(VOLUME, read.request(), 1, HeapPayload.of(new byte[4096]), PhaseTimes.NONE));
        assertThat(sent(ClientMessage.Read.class)).hasSize(1);
        answer(N1, sent(ClientMessage.Write.class).getLast(), 1);
        assertThat(sent(ClientMessage.Read.class)).hasSize(2);
    }

    @Test
    void unalignedWriteKeepsItsWholeBlocksTogether() {
        open(N1, 1, 1);
        submit(write(4096 - 512, 512 + 8192 + 512, 3));
        assertThat(sent(ClientMessage.Read.class)).hasSize(2);
        assertThat(sent(ClientMessage.Write.class)).singleElement().satisfies(w -> assertThat(w.range())
                .isEqualTo(new ByteRange(4096, 8192)));
    }

    @Test
    void anotherInstancesSessionStopsThisOneForGood() {
        open(N1, 1, 1);
        submit(write(0, 4096, 1));
        receive(N1, new ClientMessage.SessionFenced(VOLUME, new SessionId(3, 2, new UUID(8, 8)), "opened by another"));
        assertThat(session.view().state()).isEqualTo("fenced");
        assertThat(completions()).singleElement().isInstanceOf(BlockOutcome.Stopped.class);
        effects.clear();
        submit(write(0, 4096, 1));
        assertThat(completions()).singleElement().isInstanceOf(BlockOutcome.Stopped.class);
    }

    @Test
    void silentPrimaryMakesTheSessionLookAroundWithoutLeaving() {
        open(N1, 1, 1);
        submit(write(0, 4096, 1));
        effects.clear();
        now += SessionSettings.standard().silenceNanos() + 1;
        step(new SessionEvent.Tick());
        assertThat(sentTo(N2, ClientMessage.Open.class)).hasSize(1);
        assertThat(sentTo(N1, ClientMessage.Open.class)).isEmpty();
        assertThat(session.view().state()).isEqualTo("open");
        receive(N2, opened(2, 2));
        assertThat(session.view().primary()).contains(N2);
    }

    @Test
    void payloadsAreReleasedWhenTheWriteIsDone() {
        open(N1, 1, 1);
        HeapPayload payload = HeapPayload.of(new byte[4096]);
        submit(new BlockRequest(nextId++, BlockRequest.Kind.WRITE, new ByteRange(0, 4096), Optional.of(payload)));
        ClientMessage.Write write = sent(ClientMessage.Write.class).getLast();
        write.payload().release();
        answer(N1, write, 1);
        assertThat(payload.references()).isZero();
    }

    private void open(NodeName node, long epoch, long connection) {
        step(new SessionEvent.Start());
        step(new SessionEvent.LinkUp(N1));
        step(new SessionEvent.LinkUp(N2));
        openedBy(node, epoch, connection);
        effects.removeIf(e -> e instanceof SessionEffect.Open);
    }

    private void openedBy(NodeName node, long epoch, long connection) {
        assertThat(sentTo(node, ClientMessage.Open.class)).isNotEmpty();
        receive(node, opened(epoch, connection));
    }

    private static ClientMessage.Opened opened(long epoch, long connection) {
        return new ClientMessage.Opened(VOLUME, epoch, new SessionId(3, connection, SELF), SIZE, 1024, 32 << 20);
    }

    private BlockRequest write(long offset, int length, int fill) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) fill);
        Payload payload = HeapPayload.of(bytes);
        return new BlockRequest(nextId++, BlockRequest.Kind.WRITE, new ByteRange(offset, length), Optional.of(payload));
    }

    private void submit(BlockRequest request) {
        step(new SessionEvent.Submitted(request));
    }

    private void answer(NodeName node, ClientMessage.Write write, long epoch) {
        receive(node, new ClientMessage.Done(VOLUME, write.request(), epoch, IoStatus.OK, PhaseTimes.NONE));
    }

    private void receive(NodeName node, ClientMessage.Response message) {
        step(new SessionEvent.Received(node, message));
    }

    private void step(SessionEvent event) {
        now++;
        session.step(event, now, effects::add);
    }

    private List<BlockOutcome> completions() {
        return effects.stream()
                .filter(SessionEffect.Complete.class::isInstance)
                .map(e -> ((SessionEffect.Complete) e).outcome())
                .toList();
    }

    private <T extends ClientMessage.Request> List<T> sent(Class<T> type) {
        return effects.stream()
                .filter(SessionEffect.Send.class::isInstance)
                .map(e -> ((SessionEffect.Send) e).message())
                .filter(type::isInstance)
                .map(type::cast)
                .toList();
    }

    private <T extends ClientMessage.Request> List<T> sentTo(NodeName node, Class<T> type) {
        return effects.stream()
                .filter(SessionEffect.Send.class::isInstance)
                .map(SessionEffect.Send.class::cast)
                .filter(send -> send.node().equals(node))
                .map(SessionEffect.Send::message)
                .filter(type::isInstance)
                .map(type::cast)
                .toList();
    }
}
