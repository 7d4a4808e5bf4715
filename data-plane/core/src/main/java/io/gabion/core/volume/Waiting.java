package io.gabion.core.volume;

import io.gabion.core.port.Notice;
import io.gabion.model.VolumeConfig;

/**
 * Knows nothing current, or is the primary of an epoch in which its process was restarted: such an epoch is never resumed
 * (messages with old numbers may be under way), so a new one is proposed as soon as the record was read.
 */
final class Waiting extends Role {
    private final String phase;

    Waiting(Replica replica, String phase) {
        super(replica);
        this.phase = phase;
    }

    @Override
    void recordChanged() {
        VolumeConfig c = r.cfg();
        boolean mine = c.primary().equals(r.me()) && r.isMine(c) && c.epoch() == r.promised();
        if (r.confirmed && mine && r.intact && !r.stopping && !r.config.busy()) {
            r.notice(new Notice.Promoting(c.epoch() + 1, "the primary's process was restarted"));
            r.config.propose(r.record.withConfig(c.withMembers(r.me(), c.inSync(), r.config.newWriter())));
        }
    }

    @Override
    void tick() {
        recordChanged();
    }

    @Override
    String name() {
        return r.isMine(r.cfg()) ? "in-sync" : "outdated";
    }

    @Override
    String phase() {
        return phase;
    }
}
