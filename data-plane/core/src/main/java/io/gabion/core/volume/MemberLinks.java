package io.gabion.core.volume;

import io.gabion.core.message.Operation;
import io.gabion.core.message.PeerMessage;
import io.gabion.model.NodeName;
import java.util.concurrent.TimeUnit;

/** The primary's links to its members and joiners: what is sent on them, and what is sent again on new ones. */
final class MemberLinks {
    private static final long RESEND_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private final Primary p;
    private final Replica r;

    MemberLinks(Primary primary) {
        this.p = primary;
        this.r = primary.r;
    }

    /** Sends one operation to everybody who takes part in the stream. */
    void replicate(WindowEntry entry) {
        PeerMessage.Replicate message =
                new PeerMessage.Replicate(r.volume, p.epoch, r.me(), entry.seq, p.committedSeq, entry.operation);
        for (Member member : p.members.values()) {
            sendTo(member, entry, message);
        }
        p.joins.forEachStreaming(member -> sendTo(member, entry, message));
    }

    private void sendTo(Member member, WindowEntry entry, PeerMessage.Replicate message) {
        member.sentBytes += entry.payloadBytes;
        if (member.streaming) {
            retain(entry.operation);
            r.send(member.node, message);
        }
    }

    private static void retain(Operation operation) {
        if (operation instanceof Operation.Write write) {
            write.payload().retain();
        }
    }

    void resume(PeerMessage.Resume resume) {
        Member member = p.members.get(resume.from());
        if (member == null) {
            member = p.joins.member(resume.from());
        }
        if (member == null) {
            return;
        }
        if (resume.incarnation() != member.incarnation) {
            p.lose(member, "it came back without what it held");
            return;
        }
        if (!p.active() || member.stage != Member.Stage.EQUAL) {
            return;
        }
        long from = resume.appliedSeq() + 1;
        if (from < p.window.first() || resume.appliedSeq() > p.window.last()) {
            p.lose(member, "it asks for operations that it had acknowledged");
            return;
        }
        member.creditBytes = resume.creditLimitBytes();
        sendAgain(member, from);
    }

    private void sendAgain(Member member, long from) {
        member.resendAtNanos = Long.MAX_VALUE;
        member.streaming = true;
        member.sentBytes = 0;
        for (long seq = from; seq <= p.window.last(); seq++) {
            WindowEntry entry = p.window.get(seq);
            sendTo(
                    member,
                    entry,
                    new PeerMessage.Replicate(r.volume, p.epoch, r.me(), seq, p.committedSeq, entry.operation));
        }
    }

    /** The peer did not ask to resume; perhaps only this end saw the link fail. */
    private void sendAgainUnasked(Member member) {
        long sentBytes = member.sentBytes;
        sendAgain(member, member.durableSeq + 1);
        member.sentBytes = sentBytes;
    }

    void up(NodeName node) {
        for (Member member : p.members.values()) {
            if (!member.node.equals(node)) {
                continue;
            }
            if (member.stage == Member.Stage.EQUAL) {
                member.streaming = false;
                member.resendAtNanos = r.now + RESEND_NANOS;
            } else {
                p.activation.linkUp(member);
            }
        }
    }

    void down(NodeName node) {
        for (Member member : p.members.values()) {
            if (member.node.equals(node)) {
                member.streaming = false;
                member.resendAtNanos = Long.MAX_VALUE;
                if (member.stage != Member.Stage.EQUAL) {
                    member.stage = Member.Stage.NONE;
                }
            }
        }
    }

    /** The peer promised something higher to somebody: it must be told apart from us by the configuration. */
    void promised(NodeName node, long promisedEpoch) {
        if (promisedEpoch > p.epoch) {
            for (Member member : p.members.values()) {
                if (member.node.equals(node)) {
                    member.promisedHigher = true;
                }
            }
        }
    }

    void tick() {
        for (Member member : p.members.values()) {
            if (r.now >= member.resendAtNanos && p.active()) {
                sendAgainUnasked(member);
            }
        }
    }

    long deadline() {
        long deadline = Long.MAX_VALUE;
        if (!p.active()) {
            return deadline;
        }
        for (Member member : p.members.values()) {
            deadline = Math.min(deadline, member.resendAtNanos);
        }
        return deadline;
    }
}
