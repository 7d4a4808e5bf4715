package io.gabion.node.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.gabion.api.record.NodeRecords;
import io.gabion.api.v1alpha1.StorageNode;
import io.gabion.model.DiskId;
import io.gabion.model.DiskRecord;
import io.gabion.model.NodeName;
import io.gabion.model.NodeRecord;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The StorageNodes: all of them as they are watched, this node's own as it is read and written. */
final class NodeObjects implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodeObjects.class);
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final PatchContext JSON_PATCH = PatchContext.of(PatchType.JSON);
    private static final PatchContext MERGE_PATCH = PatchContext.of(PatchType.JSON_MERGE);
    private static final long NO_RESYNC = 0;
    private static final String DISK_RECORDS = "/status/diskRecords";
    /** The first record of a disk is tried so often; later ones are disturbed by nobody. */
    private static final int FIRST_ENTRY_ATTEMPTS = 5;

    private final KubernetesClient client;
    private final ApiCalls calls;
    private final NodeName self;
    private final SharedIndexInformer<StorageNode> informer;
    private volatile Optional<NodeRecord> announced = Optional.empty();

    NodeObjects(KubernetesClient client, ApiCalls calls, NodeName self) {
        this.client = client;
        this.calls = calls;
        this.self = self;
        this.informer = client.resources(StorageNode.class).runnableInformer(NO_RESYNC);
    }

    /** Opens the watch; it is opened again for ever. */
    void watch(Runnable changed) {
        informer.addEventHandler(new ResourceEventHandler<>() {
            @Override
            public void onAdd(StorageNode node) {
                changed.run();
            }

            @Override
            public void onUpdate(StorageNode before, StorageNode node) {
                changed.run();
            }

            @Override
            public void onDelete(StorageNode node, boolean unknownFinalState) {
                changed.run();
            }
        });
        informer.exceptionHandler((started, failure) -> {
            LOG.warn("watch of the storage nodes lost, opening it again: {}", failure.getMessage());
            return true;
        });
        var unused = informer.start();
    }

    /** Where the nodes are, as last heard; empty while nothing was heard. */
    Optional<List<NodeRecord>> known() {
        if (!informer.hasSynced()) {
            return Optional.empty();
        }
        List<NodeRecord> records = new ArrayList<>();
        for (StorageNode node : informer.getStore().list()) {
            try {
                NodeRecords.node(node).map(this::newer).ifPresent(records::add);
            } catch (IllegalArgumentException e) {
                LOG.warn(
                        "address of node {} is not used: {}", node.getMetadata().getName(), e.getMessage());
            }
        }
        records.sort(Comparator.comparing(NodeRecord::name));
        return Optional.of(records);
    }

    /** The watch may not have told yet what this node wrote. */
    private NodeRecord newer(NodeRecord heard) {
        return announced
                .filter(own -> own.name().equals(heard.name()) && own.version() > heard.version())
                .orElse(heard);
    }

    /** This node's own object by a quorum read; null when the operator has not made it. Blocks. */
    @Nullable
    StorageNode own() {
        return calls.call(
                () -> client.resources(StorageNode.class).withName(self.value()).get());
    }

    /** As last heard. */
    @Nullable
    StorageNode knownOwn() {
        return informer.getStore().getByKey(self.value());
    }

    /** For patches: asked by its name alone, the client would read the object before each. */
    private Resource<StorageNode> itself() {
        StorageNode node = new StorageNode();
        node.getMetadata().setName(self.value());
        return client.resource(node);
    }

    /** Writes fields of the status that nobody else writes. Blocks. */
    void merge(ObjectNode status) {
        ObjectNode patch = JSON.createObjectNode();
        patch.set("status", status);
        calls.call(() -> itself().subresource("status").patch(MERGE_PATCH, patch.toString()));
    }

    /** Blocks. */
    void announce(NodeRecord record, String bootId) {
        StorageNode own = existing();
        NodeRecord next = new NodeRecord(
                record.name(),
                record.host(),
                record.dataPort(),
                record.controlPort(),
                record.metricsPort(),
                record.softwareVersion(),
                own.getStatus().getRecordVersion() + 1);
        ObjectNode status = JSON.createObjectNode();
        status.set("address", JSON.valueToTree(NodeRecords.address(next)));
        status.put("softwareVersion", next.softwareVersion());
        status.put("bootId", bootId);
        status.put("recordVersion", next.version());
        merge(status);
        announced = Optional.of(next);
    }

    private void patch(StorageNode own, String path, JsonNode value) {
        ArrayNode operations = JSON.createArrayNode();
        test(operations, "/metadata/uid", own.getMetadata().getUid());
        test(operations, "/metadata/resourceVersion", own.getMetadata().getResourceVersion());
        operations.addObject().put("op", "add").put("path", path).set("value", value);
        apply(operations);
    }

    private static void test(ArrayNode operations, String path, String value) {
        operations.addObject().put("op", "test").put("path", path).put("value", value);
    }

    private void apply(ArrayNode operations) {
        calls.call(() -> itself().subresource("status").patch(JSON_PATCH, operations.toString()));
    }

    // ---- disks
    /** The record with the highest open count, whichever node wrote it: a copied disk must meet its original. Blocks. */
    Optional<DiskRecord> disk(DiskId disk) {
        List<StorageNode> all =
                calls.call(() -> client.resources(StorageNode.class).list().getItems());
        return all.stream()
                .map(node -> NodeRecords.disk(node, disk))
                .flatMap(Optional::stream)
                .max(Comparator.comparingLong(DiskRecord::openCount));
    }

    /** Throws {@link KubernetesClientException} unless it was certainly done. Blocks. */
    void swapDisk(DiskRecord next) {
        for (int attempt = 1; ; attempt++) {
            StorageNode own = existing();
            if (NodeRecords.disk(own, next.id()).isPresent()) {
                replaceEntry(own, next);
                return;
            }
            try {
                addEntry(own, next);
                return;
            } catch (KubernetesClientException e) {
                // Without a version to test, every other writer of the status disturbs.
                if (!ApiCalls.isRefusal(e) || ApiCalls.isForbidden(e) || attempt >= FIRST_ENTRY_ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    private static String entryPath(DiskRecord record) {
        return DISK_RECORDS + "/" + record.id();
    }

    private void replaceEntry(StorageNode own, DiskRecord next) {
        ArrayNode operations = JSON.createArrayNode();
        test(operations, "/metadata/uid", own.getMetadata().getUid());
        operations
                .addObject()
                .put("op", "test")
                .put("path", entryPath(next) + "/version")
                .put("value", next.version() - 1);
        operations
                .addObject()
                .put("op", "replace")
                .put("path", entryPath(next))
                .set("value", JSON.valueToTree(NodeRecords.entry(next)));
        apply(operations);
    }

    private void addEntry(StorageNode own, DiskRecord next) {
        JsonNode entry = JSON.valueToTree(NodeRecords.entry(next));
        if (!own.getStatus().getDiskRecords().isEmpty()) {
            patch(own, entryPath(next), entry);
            return;
        }
        ObjectNode records = JSON.createObjectNode();
        records.set(next.id().toString(), entry);
        ensureStatus(own);
        patch(existing(), DISK_RECORDS, records);
    }

    private StorageNode existing() {
        StorageNode own = own();
        if (own == null) {
            throw new KubernetesClientException("there is no StorageNode " + self + " yet; the operator makes it");
        }
        return own;
    }

    /** JSON patch adds no fields to an object that is not there. */
    private void ensureStatus(StorageNode own) {
        if (own.getStatus().getBootId() == null) {
            merge(JSON.createObjectNode().put("recordVersion", own.getStatus().getRecordVersion()));
        }
    }

    @Override
    public void close() {
        informer.stop();
    }
}
