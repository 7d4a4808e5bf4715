package io.gabion.csi.node;

import io.gabion.csi.agent.NodeAgent;
import io.gabion.csi.agent.NodeAgent.Attached;
import io.gabion.csi.agent.NodeAgent.State;
import io.gabion.csi.backend.BackendUnavailableException;
import io.gabion.csi.host.DeviceNumber;
import io.gabion.csi.host.FileSystems;
import io.gabion.csi.host.HostCommandException;
import io.gabion.csi.host.HostCommands;
import io.gabion.csi.host.MountTable;
import io.gabion.csi.rpc.CsiFailure;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shuts the file systems of volumes down that were taken away from this node. The device fails by itself, but pages that the
 * kernel still holds would be read as if nothing had happened: after the shutdown every access fails, and unmounting does not
 * wait.
 */
public final class FenceWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FenceWatch.class);
    /** Together with the command itself: less than a second after the agent learned of it. */
    private static final Duration PAUSE = Duration.ofMillis(500);

    private final NodeAgent agent;
    private final FileSystems fileSystems;
    private final CountDownLatch closed = new CountDownLatch(1);
    private Set<DeviceNumber> done = Set.of();

    private FenceWatch(NodeAgent agent, HostCommands commands) {
        this.agent = agent;
        this.fileSystems = new FileSystems(commands);
    }

    public static FenceWatch start(NodeAgent agent, HostCommands commands) {
        FenceWatch watch = new FenceWatch(agent, commands);
        Thread.ofVirtual().name("fence-watch").start(watch::run);
        return watch;
    }

    private void run() {
        try {
            do {
                look();
            } while (!closed.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void look() {
        List<Attached> attachments;
        try {
            attachments = agent.attachments();
        } catch (BackendUnavailableException | CsiFailure e) {
            LOG.debug("the agent does not answer: {}", e.getMessage());
            return;
        }
        Set<DeviceNumber> dead = new HashSet<>();
        for (Attached attached : attachments) {
            if (attached.state() == State.FENCED) {
                attached.device().flatMap(DeviceNumber::of).ifPresent(number -> {
                    dead.add(number);
                    if (!done.contains(number)) {
                        shutDown(attached.name(), number);
                    }
                });
            }
        }
        done = Set.copyOf(dead);
    }

    private void shutDown(String volume, DeviceNumber device) {
        List<MountTable.Mount> mounts = MountTable.read().ofFileSystemOn(device);
        if (mounts.isEmpty()) {
            return;
        }
        Path path = mounts.getFirst().path();
        try {
            fileSystems.shutDown(path);
            LOG.warn("volume {} was taken away from this node: its file system at {} is shut down", volume, path);
        } catch (HostCommandException e) {
            LOG.error("volume {} was taken away from this node: {}", volume, e.getMessage());
        }
    }

    @Override
    public void close() {
        closed.countDown();
    }
}
