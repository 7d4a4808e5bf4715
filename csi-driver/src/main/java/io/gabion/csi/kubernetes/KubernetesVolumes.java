package io.gabion.csi.kubernetes;

import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.KubernetesClientTimeoutException;
import io.fabric8.kubernetes.client.dsl.MixedOperation;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.gabion.api.record.RecordPatch;
import io.gabion.api.record.VolumeRecords;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.api.v1alpha1.StoragePool;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.csi.backend.BackendUnavailableException;
import io.gabion.csi.backend.NewVolume;
import io.gabion.csi.backend.StoredPool;
import io.gabion.csi.backend.StoredPool.Room;
import io.gabion.csi.backend.StoredVolume;
import io.gabion.csi.backend.VolumeBackend;
import io.gabion.csi.backend.VolumeSettings;
import io.gabion.model.NodeName;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeRecord;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Volumes as objects of the Kubernetes API. Single objects are read with quorum; the configuration changes by JSON patch that
 * tests UID and version, so that whoever was faster wins and an answer that was lost is recognised by its writer.
 */
public final class KubernetesVolumes implements VolumeBackend, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KubernetesVolumes.class);
    /** Nodes change a record a few times a second at most; more lost races than this are a fault. */
    private static final int MAX_ATTEMPTS = 30;

    private static final int NOT_FOUND = 404;
    private static final int CONFLICT = 409;
    /** The API server's answer to a failed test of a patch and to a broken rule alike. */
    private static final int UNPROCESSABLE = 422;

    private static final int FORBIDDEN = 403;
    private static final int BAD_REQUEST = 400;
    private static final String WRITER_PREFIX = "csi/";
    /** Annotation of a claim, written by the scheduler before it asks for the volume. */
    private static final String SELECTED_NODE = "volume.kubernetes.io/selected-node";

    private final KubernetesClient client;
    private final VolumeCache cache;
    private final String writer;

    /** @param process name of this process, part of every proposal */
    public KubernetesVolumes(KubernetesClient client, String process) {
        this.client = client;
        this.cache = new VolumeCache(client);
        this.writer = WRITER_PREFIX + process + "/";
    }

    @Override
    public Optional<StoredVolume> find(String name) {
        return read(name).map(VolumeObjects::stored);
    }

    private Optional<Volume> read(String name) {
        return ask(
                "read volume " + name,
                () -> Optional.ofNullable(volumes().withName(name).get()));
    }

    @Override
    public List<StoredVolume> list() {
        return ask("list volumes", () -> volumes().list(fromCache()).getItems()).stream()
                .map(VolumeObjects::stored)
                .sorted(Comparator.comparing(StoredVolume::name))
                .toList();
    }

    @Override
    public int attachedTo(NodeName node) {
        return (int) cache.all().stream()
                .map(VolumeObjects::stored)
                .filter(volume ->
                        volume.attachments().stream().anyMatch(a -> a.node().equals(node)))
                .count();
    }

    /** What the API server remembers: cheap, and never used to decide about one volume. */
    private static ListOptions fromCache() {
        return new ListOptionsBuilder().withResourceVersion("0").build();
    }

    @Override
    public StoredVolume create(NewVolume volume) {
        Volume object = VolumeObjects.object(volume, selectedNode(volume));
        try {
            return VolumeObjects.stored(client.resource(object).create());
        } catch (KubernetesClientException e) {
            if (e.getCode() == CONFLICT) {
                return find(volume.name())
                        .orElseThrow(() -> new BackendUnavailableException(
                                "volume \"" + volume.name() + "\" was deleted just now; try again", e));
            }
            throw refusedOr("create volume " + volume.name(), e);
        }
    }

    /**
     * Where the scheduler puts the first pod: topology speaks of failure domains only, so the claim has to be asked. Only a
     * wish; nothing fails for want of it.
     */
    private Optional<String> selectedNode(NewVolume volume) {
        if (!volume.settings().preferLocal() || volume.claim().isEmpty()) {
            return Optional.empty();
        }
        NewVolume.Claim claim = volume.claim().get();
        try {
            return Optional.ofNullable(client.persistentVolumeClaims()
                            .inNamespace(claim.namespace())
                            .withName(claim.name())
                            .get())
                    .map(c -> c.getMetadata().getAnnotations())
                    .map(annotations -> annotations.get(SELECTED_NODE));
        } catch (KubernetesClientException e) {
            LOG.info("where claim {}/{} is used first is not known: {}", claim.namespace(), claim.name(), words(e));
            return Optional.empty();
        }
    }

    /** Others write into the object all the time; only somebody who may open the volume by now makes the deletion wrong. */
    @Override
    public void delete(StoredVolume volume) {
        for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
            Optional<Volume> object = read(volume.name());
            if (object.isEmpty()
                    || object.get().isMarkedForDeletion()
                    || !VolumeRecords.volumeId(object.get()).equals(volume.id())) {
                return;
            }
            if (!VolumeObjects.stored(object.get()).attachments().equals(volume.attachments())) {
                throw new BackendUnavailableException(
                        "volume \"" + volume.name() + "\" was published or unpublished just now; try again", null);
            }
            if (deleteAsRead(object.get())) {
                return;
            }
        }
        throw tooManyRaces(volume.name());
    }

    /** False when it has changed since. */
    private boolean deleteAsRead(Volume object) {
        try {
            volumes()
                    .resource(object)
                    .lockResourceVersion(object.getMetadata().getResourceVersion())
                    .delete();
            return true;
        } catch (KubernetesClientException e) {
            if (e.getCode() == CONFLICT) {
                return false;
            }
            throw new BackendUnavailableException(
                    "cannot delete volume " + object.getMetadata().getName() + ": " + words(e), e);
        }
    }

    @Override
    public StoredVolume changeSettings(StoredVolume volume, VolumeSettings settings) {
        for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
            Volume current = read(volume.name())
                    .orElseThrow(() -> new IllegalArgumentException("volume \"" + volume.name() + "\" was deleted"));
            String patch = VolumeObjects.settingsPatch(current, settings);
            try {
                return VolumeObjects.stored(volumes().resource(current).patch(PatchContext.of(PatchType.JSON), patch));
            } catch (KubernetesClientException e) {
                boolean raced = e.getCode() == CONFLICT || (e.getCode() == UNPROCESSABLE && hasChanged(current));
                if (!raced) {
                    throw refusedOr("change volume " + volume.name(), e);
                }
            }
        }
        throw tooManyRaces(volume.name());
    }

    private boolean hasChanged(Volume earlier) {
        return read(earlier.getMetadata().getName())
                .map(now -> !Objects.equals(
                        now.getMetadata().getResourceVersion(),
                        earlier.getMetadata().getResourceVersion()))
                .orElse(true);
    }

    @Override
    public Optional<StoredVolume> changeConfig(String name, ConfigChange change) {
        @Nullable String proposal = null;
        for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
            Volume current = read(name).orElse(null);
            VolumeRecord record =
                    current == null ? null : VolumeRecords.record(current).orElse(null);
            if (current == null || record == null) {
                return Optional.empty();
            }
            if (record.config().writer().equals(proposal)) {
                // The answer was lost, the change was not.
                return Optional.of(VolumeObjects.stored(current));
            }
            proposal = writer + UUID.randomUUID();
            VolumeConfig next = change.next(VolumeObjects.stored(current), record.config(), proposal);
            if (next.equals(record.config())) {
                return Optional.of(VolumeObjects.stored(current));
            }
            Optional<Volume> won = swap(current, record.withConfig(next));
            if (won.isPresent()) {
                return won.map(VolumeObjects::stored);
            }
        }
        throw tooManyRaces(name);
    }

    /** Empty when the race was lost or the outcome is not known: reading tells. */
    private Optional<Volume> swap(Volume current, VolumeRecord next) {
        String name = current.getMetadata().getName();
        RecordPatch patch = RecordPatch.swap(current, next);
        Volume returned;
        try {
            returned = volumes()
                    .resource(current)
                    .subresource("status")
                    .patch(PatchContext.of(PatchType.JSON), patch.text());
        } catch (KubernetesClientException e) {
            boolean raced = e.getCode() == CONFLICT || e.getCode() == NOT_FOUND;
            if (raced || (e.getCode() == UNPROCESSABLE && versionMoved(current))) {
                return Optional.empty();
            }
            if (e.getCode() == UNPROCESSABLE || e.getCode() == FORBIDDEN || e.getCode() == BAD_REQUEST) {
                throw new BackendUnavailableException(
                        "the API server refuses the change of volume \"" + name + "\": " + words(e), e);
            }
            LOG.warn("the outcome of a change of volume {} is not known: {}", name, words(e));
            return Optional.empty();
        }
        List<String> missing = patch.missingIn(returned);
        if (!missing.isEmpty()) {
            LOG.error("the definition of Volume drops {}: upgrade the custom resource definitions", missing);
        }
        return Optional.of(returned);
    }

    private boolean versionMoved(Volume earlier) {
        return read(earlier.getMetadata().getName())
                .flatMap(now -> VolumeRecords.record(now).map(r -> r.config().version()))
                .map(version -> version
                        != VolumeRecords.record(earlier).orElseThrow().config().version())
                .orElse(true);
    }

    @Override
    public Optional<StoredVolume> await(String name, Predicate<Optional<StoredVolume>> condition, Duration limit)
            throws InterruptedException {
        Optional<StoredVolume> now = find(name);
        if (condition.test(now)) {
            return now;
        }
        try {
            @Nullable
            Volume seen = volumes()
                    .withName(name)
                    .waitUntilCondition(
                            volume -> condition.test(Optional.ofNullable(volume).map(VolumeObjects::stored)),
                            limit.toMillis(),
                            TimeUnit.MILLISECONDS);
            return Optional.ofNullable(seen).map(VolumeObjects::stored);
        } catch (KubernetesClientTimeoutException e) {
            return find(name);
        } catch (KubernetesClientException e) {
            if (e.getCause() instanceof InterruptedException) {
                throw (InterruptedException) new InterruptedException("interrupted").initCause(e);
            }
            throw new BackendUnavailableException("cannot watch volume " + name + ": " + words(e), e);
        }
    }

    @Override
    public boolean nodeExists(NodeName node) {
        return ask(
                "read node " + node, () -> client.nodes().withName(node.value()).get() != null);
    }

    @Override
    public Optional<StoredPool> pool(String name) {
        return poolObject(name).map(PoolObjects::stored);
    }

    private Optional<StoragePool> poolObject(String name) {
        return ask("read pool " + name, () -> Optional.ofNullable(
                        client.resources(StoragePool.class).withName(name).get())
                .filter(pool -> !pool.isMarkedForDeletion()));
    }

    @Override
    public List<Room> rooms(String pool) {
        StoragePool object = poolObject(pool).orElse(null);
        if (object == null) {
            return List.of();
        }
        List<StorageNode> nodes = ask(
                "list storage nodes",
                () -> client.resources(StorageNode.class).list(fromCache()).getItems());
        Map<String, Node> machines = PoolObjects.needsLabels(object)
                ? ask("list nodes", () -> client.nodes().list(fromCache()).getItems()).stream()
                        .collect(Collectors.toMap(node -> node.getMetadata().getName(), Function.identity()))
                : Map.of();
        return PoolObjects.rooms(object, nodes, machines, cache.all());
    }

    @Override
    public List<String> poolNames() {
        return ask("list pools", () -> client.resources(StoragePool.class).list().getItems().stream()
                .map(pool -> pool.getMetadata().getName())
                .sorted()
                .toList());
    }

    @Override
    public void probe() {
        ask("list one volume", () -> volumes()
                .list(new ListOptionsBuilder()
                        .withLimit(1L)
                        .withResourceVersion("0")
                        .build()));
    }

    @Override
    public void close() {
        cache.close();
    }

    private MixedOperation<Volume, KubernetesResourceList<Volume>, Resource<Volume>> volumes() {
        return client.resources(Volume.class);
    }

    private static <T> T ask(String what, Supplier<T> question) {
        try {
            return question.get();
        } catch (KubernetesClientException e) {
            throw new BackendUnavailableException("cannot " + what + ": " + words(e), e);
        }
    }

    private static RuntimeException refusedOr(String what, KubernetesClientException e) {
        return e.getCode() == UNPROCESSABLE
                ? new IllegalArgumentException(words(e), e)
                : new BackendUnavailableException("cannot " + what + ": " + words(e), e);
    }

    private static BackendUnavailableException tooManyRaces(String name) {
        return new BackendUnavailableException(
                "volume \"" + name + "\" changed " + MAX_ATTEMPTS + " times while it was to be changed; try again",
                null);
    }

    /** What the API server said, without the client's frame around it. */
    private static String words(KubernetesClientException e) {
        String text = e.getStatus() != null && e.getStatus().getMessage() != null
                ? e.getStatus().getMessage()
                : String.valueOf(e.getMessage());
        return text.replace('\n', ' ');
    }
}
