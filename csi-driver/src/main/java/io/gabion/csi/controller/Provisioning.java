package io.gabion.csi.controller;

import csi.v1.CapacityRange;
import csi.v1.CreateVolumeRequest;
import csi.v1.VolumeCapability;
import io.gabion.csi.backend.NewVolume;
import io.gabion.csi.backend.StoredPool;
import io.gabion.csi.backend.StoredVolume;
import io.gabion.csi.backend.StoredVolume.Holds;
import io.gabion.csi.backend.StoredVolume.Observation;
import io.gabion.csi.backend.VolumeBackend;
import io.gabion.csi.backend.VolumeSettings;
import io.gabion.csi.rpc.CsiFailure;
import io.gabion.model.Attachment;
import io.gabion.process.NearestWord;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Makes, grows, changes and deletes volumes: asks for it in the specification and waits for what comes of it. */
final class Provisioning {
    private static final String PLACED = "Placed";
    private static final String STALLED = "Stalled";
    private static final String READY = "Ready";

    private final VolumeBackend backend;

    Provisioning(VolumeBackend backend) {
        this.backend = backend;
    }

    /** What a request asks for, checked without looking at what exists. */
    record Wish(String name, CreateVolumeRequest request, VolumeParameters parameters) {
        static Wish of(CreateVolumeRequest request) {
            String name = ObjectNames.of(request.getName());
            Capabilities.checkPresent(request.getVolumeCapabilitiesList());
            VolumeParameters parameters =
                    VolumeParameters.ofClass(request.getParametersMap(), request.getChangeableParametersMap());
            parameters.fileSystem().ifPresent(Wish::checkFileSystem);
            Capabilities.checkSupported(request.getVolumeCapabilitiesList());
            if (request.hasVolumeContentSource()) {
                throw CsiFailure.invalid("volume_content_source: volumes from snapshots or other volumes are not"
                        + " supported yet; remove dataSource from the claim");
            }
            return new Wish(name, request, parameters);
        }

        private static void checkFileSystem(String word) {
            VolumeCapability capability = VolumeCapability.newBuilder()
                    .setMount(VolumeCapability.MountVolume.newBuilder().setFsType(word))
                    .setAccessMode(VolumeCapability.AccessMode.newBuilder()
                            .setMode(VolumeCapability.AccessMode.Mode.SINGLE_NODE_WRITER))
                    .build();
            Capabilities.obstacle(capability).ifPresent(reason -> {
                throw CsiFailure.invalid("parameter \"" + VolumeParameters.FS_TYPE + "\": " + reason);
            });
        }
    }

    StoredVolume create(Wish wish, Duration limit) {
        CapacityRange range = wish.request().getCapacityRange();
        StoredVolume.Origin origin = new StoredVolume.Origin(
                wish.request().getName(), wish.parameters().canonical());
        Optional<StoredVolume> standing = backend.find(wish.name());
        StoredVolume volume;
        if (standing.isPresent()) {
            volume = standing.get();
        } else {
            long sizeBytes = VolumeSizes.ofNew(range, wish.request().getVolumeCapabilitiesList());
            VolumeSettings settings =
                    wish.parameters().settings(sizeBytes, pool(wish.parameters().pool()));
            volume = create(new NewVolume(
                    wish.name(), settings, origin, wish.parameters().claim()));
        }
        checkSame(volume, origin, wish);
        return awaitPlace(volume, limit);
    }

    private StoredVolume create(NewVolume volume) {
        try {
            return backend.create(volume);
        } catch (IllegalArgumentException e) {
            throw CsiFailure.invalid(String.valueOf(e.getMessage()));
        }
    }

    StoredPool pool(String name) {
        return backend.pool(name).orElseThrow(() -> {
            List<String> names = backend.poolNames();
            return CsiFailure.invalid("there is no StoragePool \"" + name + "\"; "
                    + (names.isEmpty()
                            ? "there is none at all: create one first"
                            : "did you mean \"" + NearestWord.of(name, names) + "\"? There are: "
                                    + String.join(", ", names)));
        });
    }

    private static void checkSame(StoredVolume volume, StoredVolume.Origin origin, Wish wish) {
        String name = "volume \"" + volume.name() + "\" exists";
        if (volume.marks().deleting()) {
            throw CsiFailure.aborted("volume \"" + volume.name() + "\" of the same name is still being deleted");
        }
        volume.origin()
                .filter(o -> !o.requestedName().equals(origin.requestedName()))
                .ifPresent(o -> {
                    throw CsiFailure.alreadyExists(name + " and was made for \"" + o.requestedName() + "\"");
                });
        volume.origin().filter(o -> !o.parameters().equals(origin.parameters())).ifPresent(o -> {
            throw CsiFailure.alreadyExists(name + " with other parameters (" + o.parameters() + ")");
        });
        if (volume.origin().isEmpty()
                && !volume.settings().pool().equals(wish.parameters().pool())) {
            throw CsiFailure.alreadyExists(
                    name + " in pool \"" + volume.settings().pool() + "\"");
        }
        if (!VolumeSizes.satisfies(
                wish.request().getCapacityRange(), volume.settings().sizeBytes())) {
            throw CsiFailure.alreadyExists(
                    name + " with another size: " + volume.settings().sizeBytes() + " bytes");
        }
    }

    private StoredVolume awaitPlace(StoredVolume volume, Duration limit) {
        Optional<StoredVolume> seen = await(
                volume.name(),
                now -> now.map(v -> v.config().isPresent() || hasNoPlace(v)).orElse(true),
                limit);
        StoredVolume now = seen.orElseThrow(() ->
                CsiFailure.aborted("volume \"" + volume.name() + "\" was deleted while it was being made; try again"));
        if (now.config().isPresent()) {
            return now;
        }
        if (hasNoPlace(now)) {
            // The caller takes this for final and may look for another place: nothing of ours may be left behind.
            if (now.origin().isPresent()) {
                backend.delete(now);
            }
            Observation placed = now.observation(PLACED).orElseThrow();
            throw CsiFailure.exhausted(
                    "volume \"" + volume.name() + "\" has no place: " + placed.reason() + ": " + placed.message());
        }
        throw CsiFailure.tooLate("volume \"" + volume.name() + "\" has no place yet ("
                + now.observation(PLACED).map(Observation::message).orElse("the operator has not looked at it")
                + "); see kubectl describe volume " + volume.name());
    }

    private static boolean hasNoPlace(StoredVolume volume) {
        return volume.config().isEmpty()
                && volume.observation(PLACED).map(o -> o.holds() == Holds.NO).orElse(false);
    }

    void delete(StoredVolume volume, Duration limit) {
        if (!volume.attachments().isEmpty()) {
            throw CsiFailure.precondition("volume \"" + volume.name() + "\" is in use at node "
                    + volume.attachments().stream()
                            .map(Attachment::node)
                            .map(node -> "\"" + node + "\"")
                            .collect(Collectors.joining(", ")));
        }
        if (volume.marks().deletionProtection()) {
            throw CsiFailure.precondition("volume \"" + volume.name() + "\" is protected: set deletionProtection to"
                    + " false first, as in: kubectl patch volume " + volume.name()
                    + " --type merge -p '{\"spec\":{\"deletionProtection\":false}}'");
        }
        backend.delete(volume);
        Optional<StoredVolume> left = await(
                volume.name(), now -> now.map(v -> !v.id().equals(volume.id())).orElse(true), limit);
        if (left.isPresent() && left.get().id().equals(volume.id())) {
            throw CsiFailure.tooLate("volume \"" + volume.name() + "\" is being deleted" + explanation(left.get())
                    + "; see kubectl describe volume " + volume.name());
        }
    }

    /** Grows the volume to at least {@code sizeBytes}; returns it when every copy has the space. */
    StoredVolume grow(StoredVolume volume, long sizeBytes, Duration limit) {
        StoredVolume asked = volume;
        if (volume.settings().sizeBytes() < sizeBytes) {
            asked = change(volume, volume.settings().withSizeBytes(sizeBytes));
        }
        Optional<StoredVolume> seen = await(
                asked.name(),
                now -> now.map(v -> v.reservedBytes() >= sizeBytes).orElse(true),
                limit);
        StoredVolume now =
                seen.orElseThrow(() -> CsiFailure.notFound("volume \"" + volume.name() + "\" was deleted meanwhile"));
        if (now.reservedBytes() < sizeBytes) {
            throw CsiFailure.tooLate("volume \"" + volume.name() + "\" is asked to grow to " + sizeBytes
                    + " bytes but has " + now.reservedBytes() + " so far" + explanation(now));
        }
        return now;
    }

    StoredVolume change(StoredVolume volume, VolumeSettings settings) {
        try {
            return backend.changeSettings(volume, settings);
        } catch (IllegalArgumentException e) {
            throw CsiFailure.invalid(String.valueOf(e.getMessage()));
        }
    }

    private static String explanation(StoredVolume volume) {
        Optional<Observation> stalled = volume.observation(STALLED).filter(o -> o.holds() == Holds.YES);
        Optional<Observation> notReady = volume.observation(READY).filter(o -> o.holds() == Holds.NO);
        return stalled.or(() -> notReady)
                .map(o -> ": " + o.reason() + ": " + o.message())
                .orElse("");
    }

    private Optional<StoredVolume> await(String name, Predicate<Optional<StoredVolume>> condition, Duration limit) {
        try {
            return backend.await(name, condition, limit);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw CsiFailure.unavailable("the driver is shutting down", e);
        }
    }
}
