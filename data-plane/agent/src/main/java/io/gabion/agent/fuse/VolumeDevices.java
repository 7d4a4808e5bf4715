package io.gabion.agent.fuse;

import static java.util.Objects.requireNonNull;

import io.gabion.agent.linux.Descriptor;
import io.gabion.agent.nbd.BlockExport;
import io.gabion.model.VolumeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Volumes as block devices of this machine: a file system of one file by our own FUSE server, and a loop device over the file.
 * Where a {@link DescriptorKeeper} is there, the devices survive this process: its users wait until the next one goes on.
 *
 * <p>Calls about different volumes run side by side, those about the same one after the other.
 */
public final class VolumeDevices implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(VolumeDevices.class);
    /** Each can saturate a fast network alone; the second is for latency beside it. */
    private static final int READERS = Math.max(2, Runtime.getRuntime().availableProcessors() / 2);

    private static final long INTRODUCTION_MILLIS = 5_000;
    /** How long what was read may take when the process ends; the rest comes again in the next one. */
    private static final long DRAIN_MILLIS = 2_000;
    /** A last close writes back what a careless user left in the page cache. */
    private static final long CLOSE_MILLIS = 10_000;

    private static final long SHUT_DOWN_MILLIS = 5_000;
    private static final long CLAIM_MILLIS = 3_000;
    private static final long CLAIM_POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final int LOCKS = 64;
    private static final int MAX_LABEL_CHARS = 63;

    private final DevicePlaces places;
    private final String nodeName;
    private final DescriptorKeeper keeper;
    private final boolean wantsResend;
    private final FuseReaders readers;
    private final Object[] locks = new Object[LOCKS];
    private final Map<VolumeId, Device> devices = new ConcurrentHashMap<>();
    /** What earlier processes left; what nobody asks for is closed after the restore. */
    private final Map<String, Descriptor> inherited;

    private record Device(FuseConnection connection, LoopDevice loop) {}

    /** How requests that a killed process had read reach the next one. */
    public enum Resend {
        /** The kernel sends them again where it can (Linux 6.9); elsewhere they are kept in a file. */
        AUTO,
        /** They are kept in a file. */
        NEVER;

        /** {@code auto} or {@code never}. */
        public static Resend parse(String text) {
            return switch (text) {
                case "auto" -> AUTO;
                case "never" -> NEVER;
                default -> throw new IllegalArgumentException("must be auto or never");
            };
        }
    }

    /** A device that cannot be taken away because somebody uses it. */
    public static final class InUseException extends IOException {
        InUseException(String message) {
            super(message);
        }
    }

    /**
     * Takes over what {@code keeper} kept; may wait for a predecessor to end.
     *
     * @param directory below which each volume gets its mount point
     * @param nodeName part of the devices' labels
     * @param resend how requests survive this process
     */
    public VolumeDevices(Path directory, String nodeName, DescriptorKeeper keeper, Resend resend) throws IOException {
        this.places = new DevicePlaces(directory);
        this.nodeName = requireNonNull(nodeName, "nodeName is null");
        this.keeper = requireNonNull(keeper, "keeper is null");
        this.wantsResend = resend == Resend.AUTO;
        for (int i = 0; i < LOCKS; i++) {
            locks[i] = new Object();
        }
        inherited = new HashMap<>(keeper.list());
        readers = new FuseReaders(READERS);
    }

    private Object lock(VolumeId volume) {
        return requireNonNull(locks[Math.floorMod(volume.hashCode(), LOCKS)]);
    }

    private static String fuseName(VolumeId volume) {
        return "fuse." + volume;
    }

    private static String loopName(VolumeId volume) {
        return "loop." + volume;
    }

    private String label(VolumeId volume) {
        String text = "gabion:" + volume + ":" + nodeName;
        return text.substring(0, Math.min(text.length(), MAX_LABEL_CHARS));
    }

    /** The device of the volume, {@code /dev/loopN}; makes it where there is none. */
    public String attach(VolumeId volume, BlockExport export) throws IOException {
        synchronized (lock(volume)) {
            Device present = devices.get(volume);
            if (present != null) {
                return present.loop().path();
            }
            FuseMount.checkSettings();
            Path mountPoint = places.mountPoint(volume);
            Descriptor descriptor = FuseMount.open();
            FuseConnection connection = new FuseConnection(descriptor, export, readers, wantsResend);
            try {
                FuseMount.mount(mountPoint, descriptor, label(volume), export.readOnly());
                connection.start();
                keepRequests(volume, connection);
                LoopDevice loop = loopOver(volume, export);
                keepBoth(volume, descriptor, loop);
                devices.put(volume, new Device(connection, loop));
                LOG.info("volume {} is {}", export.name(), loop.path());
                return loop.path();
            } catch (IOException | RuntimeException e) {
                undo(volume, connection);
                throw e;
            }
        }
    }

    private LoopDevice loopOver(VolumeId volume, BlockExport export) throws IOException {
        return LoopDevice.attach(
                places.mountPoint(volume).resolve(FuseVolume.FILE_NAME), label(volume), export.readOnly());
    }

    /** Where the kernel cannot send again what a killed process had read. */
    private void keepRequests(VolumeId volume, FuseConnection connection) throws IOException {
        long features;
        try {
            features = connection.features().get(INTRODUCTION_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("the kernel did not introduce itself on /dev/fuse", e);
        }
        if ((features & FuseProtocol.HAS_RESEND) == 0) {
            connection.keepRequestsIn(RequestTable.create(places.requestFile(volume)));
        } else {
            Files.deleteIfExists(places.requestFile(volume));
        }
    }

    private void keepBoth(VolumeId volume, Descriptor fuse, LoopDevice loop) throws IOException {
        try {
            keeper.keep(fuseName(volume), fuse);
            keeper.keep(loopName(volume), loop.descriptor());
        } catch (IOException e) {
            loop.descriptor().close();
            throw e;
        }
    }

    private void undo(VolumeId volume, FuseConnection connection) {
        drop(fuseName(volume));
        drop(loopName(volume));
        removeMount(volume);
        connection.stop();
        connection.descriptor().close();
        connection.forgetRequests();
    }

    private void drop(String name) {
        try {
            keeper.drop(name);
        } catch (IOException e) {
            LOG.warn("descriptor {} stays with the supervisor: {}", name, e.getMessage());
        }
    }

    private void removeMount(VolumeId volume) {
        try {
            FuseMount.remove(places.mountPoint(volume));
        } catch (IOException e) {
            LOG.warn("mount point {} stays: {}", places.mountPoint(volume), e.toString());
        }
    }

    /**
     * Goes on with the device that an earlier process left: its requests are served by the export from now on, those that were
     * under way come again.
     *
     * @return its path; empty where none was kept
     */
    public Optional<String> resume(VolumeId volume, BlockExport export) throws IOException {
        synchronized (lock(volume)) {
            Descriptor fuse = takeInherited(fuseName(volume));
            Descriptor kept = takeInherited(loopName(volume));
            if (fuse == null) {
                if (kept != null) {
                    drop(loopName(volume));
                    kept.close();
                }
                return Optional.empty();
            }
            FuseConnection connection = new FuseConnection(fuse, export, readers, wantsResend);
            try {
                Optional<RequestTable> requests = RequestTable.open(places.requestFile(volume));
                if (requests.isPresent()) {
                    connection.resume(requests.get());
                } else {
                    connection.resume();
                }
                LoopDevice loop = kept == null ? loopOver(volume, export) : LoopDevice.resume(kept, label(volume));
                if (kept == null) {
                    keeper.keep(loopName(volume), loop.descriptor());
                }
                devices.put(volume, new Device(connection, loop));
                LOG.info("volume {} is {} as before", export.name(), loop.path());
                return Optional.of(loop.path());
            } catch (IOException | RuntimeException e) {
                if (kept != null) {
                    kept.close();
                }
                undo(volume, connection);
                throw e;
            }
        }
    }

    private @Nullable Descriptor takeInherited(String name) {
        synchronized (inherited) {
            return inherited.remove(name);
        }
    }

    /** Gives up what was inherited and not resumed: its users get errors, not silence. */
    public void closeUnclaimed() {
        synchronized (inherited) {
            inherited.forEach((name, descriptor) -> {
                LOG.warn("{} was kept, but nothing is attached that it belongs to: it ends", name);
                drop(name);
                descriptor.close();
            });
            inherited.clear();
        }
        places.removeLeftovers(devices.keySet());
    }

    /** The device of the volume, if it has one. */
    public Optional<String> path(VolumeId volume) {
        return Optional.ofNullable(devices.get(volume))
                .map(device -> device.loop().path());
    }

    /** Lets the device follow the export's size. Without a device there is nothing to do. */
    public void grow(VolumeId volume, BlockExport export) throws IOException {
        synchronized (lock(volume)) {
            Device device = devices.get(volume);
            long wanted = export.sizeBytes();
            if (device == null || device.loop().sizeBytes() >= wanted) {
                return;
            }
            // Makes the kernel ask for the attributes: older ones take the device's size from what they remember.
            Path file = places.mountPoint(volume).resolve(FuseVolume.FILE_NAME);
            long seen = Files.exists(file) ? Files.size(file) : 0;
            device.loop().grow();
            long now = device.loop().sizeBytes();
            if (now < wanted) {
                throw new IOException(device.loop().path() + " has " + now + " of " + wanted + " bytes"
                        + (seen == wanted
                                ? ""
                                : ": " + file + " is not visible here, mount " + places.directory()
                                        + " with bidirectional propagation"));
            }
            LOG.info(
                    "volume {} on {} has {} bytes now",
                    export.name(),
                    device.loop().path(),
                    now);
        }
    }

    /**
     * Takes the device away.
     *
     * @param force also when a mounted file system holds it; its users get errors
     * @throws InUseException naming the device
     */
    public void detach(VolumeId volume, boolean force) throws IOException {
        synchronized (lock(volume)) {
            Device device = devices.get(volume);
            if (device == null) {
                return;
            }
            LoopDevice loop = device.loop();
            if (!force && staysClaimed(loop)) {
                throw new InUseException(loop.path() + " is in use, unmount its file system first");
            }
            devices.remove(volume);
            // The keeper first: what the last close writes back would make it wait.
            drop(loopName(volume));
            closeLast(loop);
            undo(volume, device.connection());
            LOG.info("{} is gone", loop.path());
        }
    }

    /**
     * Ends the file system that is mounted from the device, if one is: its users get errors for everything from now on, also for
     * what is in the page cache. To be called after the export began to fail. Returns when done, at the latest after a few seconds.
     */
    public void shutDownFileSystem(VolumeId volume) throws InterruptedException {
        Device device = devices.get(volume);
        if (device == null || !device.loop().isClaimed()) {
            return;
        }
        String path = device.loop().path();
        Thread closing = Thread.ofPlatform().daemon().name("shut down " + path).start(() -> {
            try {
                LOG.info(
                        MountedFileSystem.shutDown(path)
                                ? "the file system on {} is shut down"
                                : "{} is in use, but not by a file system that can be shut down",
                        path);
            } catch (IOException e) {
                LOG.error("the file system on {} was not shut down: {}", path, e.getMessage());
            }
        });
        if (!closing.join(Duration.ofMillis(SHUT_DOWN_MILLIS))) {
            LOG.error("the file system on {} does not shut down within {} ms", path, SHUT_DOWN_MILLIS);
        }
    }

    /** Whoever looks at every device of the machine holds one for moments; a file system holds it for longer than that. */
    private static boolean staysClaimed(LoopDevice loop) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CLAIM_MILLIS);
        while (loop.isClaimed()) {
            if (System.nanoTime() >= deadline || Thread.currentThread().isInterrupted()) {
                return true;
            }
            LockSupport.parkNanos(CLAIM_POLL_NANOS);
        }
        return false;
    }

    /** The loop device clears itself now, after the kernel wrote back what was left; this waits a while for that. */
    private static void closeLast(LoopDevice loop) {
        Thread closing =
                Thread.ofPlatform().daemon().name("close " + loop.path()).start(loop.descriptor()::close);
        try {
            if (!closing.join(Duration.ofMillis(CLOSE_MILLIS))) {
                LOG.warn("{} still writes back after {} ms, what is left is lost", loop.path(), CLOSE_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Requests that came again after a restart, of all devices there are now. */
    public long resentRequests() {
        return devices.values().stream()
                .mapToLong(device -> device.connection().resent())
                .sum();
    }

    public int count() {
        return devices.size();
    }

    /** Ends serving in good order; devices stay where something keeps their descriptors, the others end with the process. */
    @Override
    public void close() {
        List<Device> all = new ArrayList<>(devices.values());
        all.forEach(device -> device.connection().stop());
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DRAIN_MILLIS);
        for (Device device : all) {
            if (!device.connection().drain(deadline)) {
                LOG.info(
                        "requests of {} are left to the next process",
                        device.loop().path());
            }
        }
        readers.close();
    }
}
