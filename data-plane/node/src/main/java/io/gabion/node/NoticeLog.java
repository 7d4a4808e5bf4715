package io.gabion.node;

import io.gabion.core.port.Notice;
import io.gabion.node.metrics.NodeMetrics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Notices of the replicas become log lines and counters. Safe for any thread. */
final class NoticeLog {
    private static final Logger LOG = LoggerFactory.getLogger("gabion.volume");

    private final NodeMetrics metrics;

    NoticeLog(NodeMetrics metrics) {
        this.metrics = metrics;
    }

    /** @param volume its name for people */
    void log(String volume, Notice notice) {
        metrics.noticed(kind(notice));
        switch (notice) {
            case Notice.Activated n -> logActivated(volume, n);
            case Notice.Deposed n -> LOG.info("{}: no longer primary, epoch {}: {}", volume, n.epoch(), n.reason());
            case Notice.MemberDropped n -> {
                metrics.memberDropped();
                LOG.warn("{}: replica {} dropped in epoch {}: {}", volume, n.replica(), n.epoch(), n.reason());
            }
            case Notice.MemberAdded n -> LOG.info("{}: replica {} in sync in epoch {}", volume, n.replica(), n.epoch());
            case Notice.Promoting n -> {
                metrics.failover();
                LOG.info("{}: taking over as primary with epoch {}: {}", volume, n.epoch(), n.reason());
            }
            case Notice.StaleRefused n -> {
                metrics.staleRefused();
                LOG.info(
                        "{}: refused replica {} in epoch {}, promised {}",
                        volume,
                        n.from(),
                        n.epoch(),
                        n.promisedEpoch());
            }
            case Notice.SnapshotTaken n -> logTaken(volume, n);
            case Notice.SnapshotDeleted n -> {
                metrics.snapshotDeleted();
                LOG.info("{}: snapshot {} deleted", volume, n.number());
            }
            case Notice.SessionOpened n -> LOG.info("{}: session {} open for node {}", volume, n.session(), n.node());
            case Notice.SessionRefused n -> {
                metrics.sessionRefused();
                LOG.info("{}: session {} refused: {}", volume, n.session(), n.reason());
            }
            case Notice.Stalled n -> LOG.warn("{}: writes wait for {}: {}", volume, n.waitsFor(), n.reason());
            case Notice.StallEnded n -> LOG.info("{}: writes go on after {} ms", volume, n.millis());
            case Notice.ResyncStarted n ->
                LOG.info(
                        "{}: resync from {} by {}, {} bytes to compare",
                        volume,
                        n.source(),
                        n.tier(),
                        n.bytesToCompare());
            case Notice.ResyncProgress n ->
                LOG.debug(
                        "{}: resync compared {} of {} bytes, copied {}",
                        volume,
                        n.bytesCompared(),
                        n.bytesToCompare(),
                        n.bytesCopied());
            case Notice.ResyncFinished n -> {
                metrics.rebuildEnded("finished");
                LOG.info("{}: resync finished, {} bytes copied in {} ms", volume, n.bytesCopied(), n.millis());
            }
            case Notice.ResyncFailed n -> {
                metrics.rebuildEnded("failed");
                LOG.warn("{}: resync failed: {}", volume, n.reason());
            }
            case Notice.Faulted n -> LOG.error("{}: the copy here is faulted: {}", volume, n.reason());
            case Notice.Unclean n ->
                LOG.warn("{}: opened after a loss of power, last operation {}", volume, n.lastLsn());
            case Notice.ConfigStoreUnavailable n ->
                LOG.warn("{}: configuration store unavailable ({}): {}", volume, n.operation(), n.reason());
        }
    }

    private void logTaken(String volume, Notice.SnapshotTaken n) {
        metrics.snapshotTaken(n.pauseMicros());
        LOG.info("{}: snapshot {} taken at {}, writes waited {} us", volume, n.number(), n.lsn(), n.pauseMicros());
    }

    private static void logActivated(String volume, Notice.Activated n) {
        if (n.pauseMillis() >= 0) {
            LOG.info(
                    "{}: serving as primary of epoch {}, in sync {}, writes paused {} ms",
                    volume,
                    n.epoch(),
                    n.inSync(),
                    n.pauseMillis());
        } else {
            LOG.info("{}: serving as primary of epoch {}, in sync {}", volume, n.epoch(), n.inSync());
        }
    }

    /** Label of the kind: {@code member_dropped}. */
    private static String kind(Notice notice) {
        String name = notice.getClass().getSimpleName();
        StringBuilder label = new StringBuilder();
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (Character.isUpperCase(c) && i > 0) {
                label.append('_');
            }
            label.append(Character.toLowerCase(c));
        }
        return label.toString();
    }
}
