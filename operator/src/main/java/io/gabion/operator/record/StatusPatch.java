package io.gabion.operator.record;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import org.jspecify.annotations.Nullable;

/** Writes some fields of an object's status and leaves the others to whoever writes them. Nothing is sent when nothing would change. */
public final class StatusPatch {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final ObjectNode fields = JSON.createObjectNode();

    /** Null, or an empty text or list, takes the field away. */
    public StatusPatch set(String field, @Nullable Object value) {
        JsonNode node = JSON.valueToTree(value);
        boolean empty = node == null
                || (node.isContainerNode() && node.isEmpty())
                || (node.isTextual() && node.textValue().isEmpty());
        fields.set(field, empty ? JSON.nullNode() : node);
        return this;
    }

    /** Whether {@code status} says all of it already. */
    public boolean isMetBy(@Nullable Object status) {
        JsonNode standing = JSON.valueToTree(status);
        for (var entry : fields.properties()) {
            JsonNode before = standing == null ? JSON.missingNode() : standing.path(entry.getKey());
            boolean absent =
                    before.isMissingNode() || before.isNull() || (before.isContainerNode() && before.isEmpty());
            boolean same = entry.getValue().isNull()
                    ? absent
                    : entry.getValue().equals(before)
                            || (entry.getValue().isIntegralNumber()
                                    && before.isIntegralNumber()
                                    && entry.getValue().longValue() == before.longValue());
            if (!same) {
                return false;
            }
        }
        return true;
    }

    /** Sends it for {@code object}, if that is still the same object. */
    public <T extends CustomResource<?, ?>> void send(KubernetesClient client, T object) {
        ObjectNode patch = JSON.createObjectNode();
        patch.putObject("metadata").put("uid", object.getMetadata().getUid());
        patch.set("status", fields);
        // By its name alone the client would read the object first.
        client.resource(object).subresource("status").patch(PatchContext.of(PatchType.JSON_MERGE), patch.toString());
    }
}
