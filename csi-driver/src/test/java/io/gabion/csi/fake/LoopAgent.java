package io.gabion.csi.fake;

import io.gabion.csi.agent.NodeAgent;
import io.gabion.csi.backend.BackendUnavailableException;
import io.gabion.csi.backend.StorageNodes;
import io.gabion.csi.host.HostCommands;
import io.gabion.model.VolumeId;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.function.ToLongFunction;

/** An agent whose volumes are sparse files and whose devices are loop devices over them. Needs root. */
public final class LoopAgent implements NodeAgent, AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private record Session(String name, Path device, boolean readOnly, State state) {}

    private final Path directory;
    private final ToLongFunction<VolumeId> sizeBytes;
    private final HostCommands commands = new HostCommands(new PrometheusRegistry());
    private final Map<VolumeId, Session> sessions = new LinkedHashMap<>();
    private final List<List<StorageNodes.Address>> updates = new ArrayList<>();
    private boolean reachable = true;
    private volatile CountDownLatch attachEntered = new CountDownLatch(0);
    private volatile CountDownLatch attachReleased = new CountDownLatch(0);

    public LoopAgent(Path directory, ToLongFunction<VolumeId> sizeBytes) {
        this.directory = directory;
        this.sizeBytes = sizeBytes;
    }

    public synchronized boolean wasWritten(VolumeId volume) {
        Path file = file(volume);
        return Files.exists(file)
                && !commands.runOrFail(LIMIT, List.of("stat", "-c", "%b", file.toString()))
                        .strip()
                        .equals("0");
    }

    public synchronized void setReachable(boolean nowReachable) {
        reachable = nowReachable;
    }

    /** Attaching waits until it is given. */
    public void holdAttach(CountDownLatch entered, CountDownLatch released) {
        attachEntered = entered;
        attachReleased = released;
    }

    public synchronized void fence(VolumeId volume) {
        sessions.computeIfPresent(volume, (_, s) -> new Session(s.name(), s.device(), s.readOnly(), State.FENCED));
    }

    public synchronized List<List<StorageNodes.Address>> updates() {
        return List.copyOf(updates);
    }

    @Override
    public Path attach(Order order) {
        attachEntered.countDown();
        try {
            attachReleased.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return attached(order);
    }

    private synchronized Path attached(Order order) {
        requireReachable();
        Session standing = sessions.get(order.volume());
        if (standing != null && standing.state() == State.SERVING) {
            return standing.device();
        }
        if (standing != null) {
            detach(order.volume());
        }
        Path file = file(order.volume());
        truncate(file, sizeBytes.applyAsLong(order.volume()));
        List<String> command = new ArrayList<>(List.of("losetup", "--find", "--show"));
        if (order.readOnly()) {
            command.add("--read-only");
        }
        command.add(file.toString());
        Path device = Path.of(commands.runOrFail(LIMIT, command).strip());
        sessions.put(order.volume(), new Session(order.name(), device, order.readOnly(), State.SERVING));
        return device;
    }

    private static void truncate(Path file, long sizeBytes) {
        try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "rw")) {
            opened.setLength(Math.max(opened.length(), sizeBytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public synchronized void detach(VolumeId volume) {
        requireReachable();
        Session session = sessions.remove(volume);
        if (session != null) {
            commands.runOrFail(
                    LIMIT, List.of("losetup", "--detach", session.device().toString()));
        }
    }

    @Override
    public synchronized List<Attached> attachments() {
        requireReachable();
        return sessions.entrySet().stream()
                .map(e -> new Attached(
                        e.getKey(),
                        e.getValue().name(),
                        Optional.of(e.getValue().device()),
                        e.getValue().state()))
                .toList();
    }

    @Override
    public synchronized long resize(VolumeId volume, long atLeastBytes) {
        requireReachable();
        long size = sizeBytes.applyAsLong(volume);
        Session session = sessions.get(volume);
        if (session != null) {
            truncate(file(volume), size);
            commands.runOrFail(
                    LIMIT, List.of("losetup", "--set-capacity", session.device().toString()));
        }
        return size;
    }

    @Override
    public synchronized void fail(VolumeId volume, String reason) {
        fence(volume);
    }

    @Override
    public synchronized void updateNodes(List<StorageNodes.Address> nodes) {
        requireReachable();
        updates.add(nodes);
        notifyAll();
    }

    private void requireReachable() {
        if (!reachable) {
            throw new BackendUnavailableException("the agent does not answer", null);
        }
    }

    /** What the volume holds. */
    public Path file(VolumeId volume) {
        return directory.resolve(volume.toString());
    }

    @Override
    public synchronized void close() {
        List.copyOf(sessions.keySet()).forEach(this::detach);
    }
}
