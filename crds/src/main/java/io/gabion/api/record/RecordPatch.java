package io.gabion.api.record;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.gabion.api.v1alpha1.Volume;
import io.gabion.api.v1alpha1.VolumeConfiguration;
import io.gabion.api.v1alpha1.VolumeStatus;
import io.gabion.model.VolumeConfig;
import io.gabion.model.VolumeRecord;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A compare-and-swap of a volume's record as JSON patch (RFC 6902) for the status subresource. It tests the UID and the version
 * of the configuration: other writers of the status do not disturb it, a lost race does.
 *
 * <p>The specification is not part of the patch: it belongs to the user. A change of it takes effect on the data plane when
 * {@code config.version} grows.
 */
public final class RecordPatch {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String CONFIG = "/status/config";

    private final String text;
    private final VolumeConfiguration config;
    private final VolumeRecord next;

    private RecordPatch(ArrayNode operations, VolumeConfiguration config, VolumeRecord next) {
        this.text = operations.toString();
        this.config = config;
        this.next = next;
    }

    /**
     * Replaces the record that stands in {@code current} (or any with the version before {@code next}'s).
     *
     * @param current the object as it was last read; source of its UID and of the fields that this version does not know
     */
    public static RecordPatch swap(Volume current, VolumeRecord next) {
        VolumeStatus before = current.getStatus();
        VolumeConfig nextConfig = next.config();
        VolumeConfiguration config = VolumeRecords.configuration(nextConfig, before.getConfig());
        ArrayNode operations = JSON.createArrayNode();
        test(operations, "/metadata/uid", JSON.valueToTree(current.getMetadata().getUid()));
        test(operations, CONFIG + "/version", JSON.valueToTree(expectedVersion(before.getConfig(), nextConfig)));
        add(operations, CONFIG, JSON.valueToTree(config));
        addPlaces(operations, next, before);
        return new RecordPatch(operations, config, next);
    }

    /**
     * Writes the first configuration. There is no version to test yet, so the object must be exactly as it was read.
     *
     * @param current the object as it was last read, without a configuration
     */
    public static RecordPatch first(Volume current, VolumeRecord first) {
        VolumeStatus before = current.getStatus();
        VolumeConfiguration config = VolumeRecords.configuration(first.config(), null);
        ArrayNode operations = JSON.createArrayNode();
        test(operations, "/metadata/uid", JSON.valueToTree(current.getMetadata().getUid()));
        test(
                operations,
                "/metadata/resourceVersion",
                JSON.valueToTree(current.getMetadata().getResourceVersion()));
        if (before.getVolumeId() == null && before.getConditions().isEmpty()) {
            // Nobody wrote a status yet, so there is no object to add fields to.
            add(operations, "/status", JSON.valueToTree(before));
        }
        add(operations, "/status/volumeId", JSON.valueToTree(first.id().toString()));
        add(operations, CONFIG, JSON.valueToTree(config));
        addPlaces(operations, first, before);
        return new RecordPatch(operations, config, first);
    }

    private static long expectedVersion(@Nullable VolumeConfiguration before, VolumeConfig next) {
        // Recovery jumps by more than one; then what was read is what is replaced.
        return before != null && before.getVersion() < next.version() - 1 ? before.getVersion() : next.version() - 1;
    }

    private static void addPlaces(ArrayNode operations, VolumeRecord next, VolumeStatus before) {
        addIfChanged(operations, "/status/placement", VolumeRecords.entries(next.placement()), before.getPlacement());
        addIfChanged(operations, "/status/removed", VolumeRecords.entries(next.removed()), before.getRemoved());
        if (next.deleting() != before.isDeleting()) {
            add(operations, "/status/deleting", JSON.valueToTree(next.deleting()));
        }
    }

    private static void addIfChanged(ArrayNode operations, String path, List<?> next, List<?> before) {
        JsonNode wanted = JSON.valueToTree(next);
        if (!wanted.equals(JSON.valueToTree(before))) {
            add(operations, path, wanted);
        }
    }

    private static void test(ArrayNode operations, String path, JsonNode value) {
        operations.addObject().put("op", "test").put("path", path).set("value", value);
    }

    private static void add(ArrayNode operations, String path, JsonNode value) {
        operations.addObject().put("op", "add").put("path", path).set("value", value);
    }

    /** The patch for {@code client.resource(…).subresource("status").patch(PatchContext JSON, text)}. */
    public String text() {
        return text;
    }

    /**
     * Fields that were sent but are not in what the API server returned: an older definition of the kind drops what it does
     * not know, without a word. Empty when all arrived.
     */
    public List<String> missingIn(Volume returned) {
        List<String> missing = new ArrayList<>();
        JsonNode arrived = JSON.valueToTree(returned.getStatus());
        compare("status.config", JSON.valueToTree(config), arrived.path("config"), missing);
        compare(
                "status.placement",
                JSON.valueToTree(VolumeRecords.entries(next.placement())),
                arrived.path("placement"),
                missing);
        compare(
                "status.removed",
                JSON.valueToTree(VolumeRecords.entries(next.removed())),
                arrived.path("removed"),
                missing);
        compare("status.deleting", JSON.valueToTree(next.deleting()), arrived.path("deleting"), missing);
        return missing;
    }

    private static void compare(String path, JsonNode sent, JsonNode arrived, List<String> missing) {
        if (sent.isContainerNode() && sent.isEmpty() && arrived.isMissingNode()) {
            return;
        }
        if (sent.isObject() && arrived.isObject()) {
            sent.properties()
                    .forEach(e -> compare(path + "." + e.getKey(), e.getValue(), arrived.path(e.getKey()), missing));
        } else if (sent.isArray() && arrived.isArray() && sent.size() == arrived.size()) {
            for (int i = 0; i < sent.size(); i++) {
                compare(path + "[" + i + "]", sent.get(i), arrived.get(i), missing);
            }
        } else if (!sent.equals(arrived) && !sameNumber(sent, arrived)) {
            missing.add(path);
        }
    }

    /** A small long and an int are different nodes. */
    private static boolean sameNumber(JsonNode sent, JsonNode arrived) {
        return sent.isIntegralNumber() && arrived.isIntegralNumber() && sent.longValue() == arrived.longValue();
    }
}
