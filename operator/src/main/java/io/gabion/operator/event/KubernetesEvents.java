package io.gabion.operator.event;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.net.HttpURLConnection;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Events of the API. The same news about the same object is one Event that counts, whichever operator tells it: its name follows
 * from what it says. Safe for any thread.
 */
public final class KubernetesEvents implements EventSink {
    private static final Logger LOG = LoggerFactory.getLogger(KubernetesEvents.class);
    private static final String COMPONENT = "gabion-operator";
    /** Where Events about objects without a namespace belong. */
    private static final String NAMESPACE_OF_CLUSTER = "default";
    /** The API refuses longer ones. */
    private static final int MAX_MESSAGE_CHARACTERS = 1024;

    private static final int MAX_NAME_CHARACTERS = 200;
    private static final int MAX_COUNTS = 4096;

    private final KubernetesClient client;
    private final InstantSource clock;
    private final Map<String, Integer> counts = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Integer> eldest) {
            return size() > MAX_COUNTS;
        }
    };

    public KubernetesEvents(KubernetesClient client, InstantSource clock) {
        this.client = client;
        this.clock = clock;
    }

    @Override
    public void tell(ObjectReference about, Kind kind, String reason, String message) {
        String text =
                message.length() <= MAX_MESSAGE_CHARACTERS ? message : message.substring(0, MAX_MESSAGE_CHARACTERS);
        String namespace = about.getNamespace() == null ? NAMESPACE_OF_CLUSTER : about.getNamespace();
        String name = name(about, reason, text);
        String now = clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
        int count;
        synchronized (counts) {
            count = counts.merge(namespace + "/" + name, 1, Integer::sum);
        }
        try {
            if (count > 1 || !create(about, kind, reason, text, namespace, name)) {
                Event standing = new EventBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .withNamespace(namespace)
                        .endMetadata()
                        .build();
                client.resource(standing)
                        .patch(
                                PatchContext.of(PatchType.JSON_MERGE),
                                "{\"lastTimestamp\":\"" + now + "\",\"count\":" + Math.max(2, count) + "}");
            }
        } catch (KubernetesClientException e) {
            // It may have expired, or the namespace may be going: news are not worth a failure.
            LOG.debug("event {} about {} {} not written: {}", reason, about.getKind(), about.getName(), e.getMessage());
            synchronized (counts) {
                counts.remove(namespace + "/" + name);
            }
        }
    }

    private boolean create(
            ObjectReference about, Kind kind, String reason, String text, String namespace, String name) {
        Instant instant = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        Event event = new EventBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace(namespace)
                .endMetadata()
                .withInvolvedObject(about)
                .withType(kind.word())
                .withReason(reason)
                .withMessage(text)
                .withFirstTimestamp(instant.toString())
                .withLastTimestamp(instant.toString())
                .withCount(1)
                .withNewSource()
                .withComponent(COMPONENT)
                .endSource()
                .withReportingComponent(COMPONENT)
                .build();
        try {
            client.resource(event).create();
            return true;
        } catch (KubernetesClientException e) {
            if (e.getCode() == HttpURLConnection.HTTP_CONFLICT) {
                return false;
            }
            throw e;
        }
    }

    private static String name(ObjectReference about, String reason, String message) {
        String seed = about.getKind() + "/" + about.getUid() + "/" + reason + "/" + message;
        String object = about.getName().length() <= MAX_NAME_CHARACTERS
                ? about.getName()
                : about.getName().substring(0, MAX_NAME_CHARACTERS);
        return object + "."
                + UUID.nameUUIDFromBytes(seed.getBytes(StandardCharsets.UTF_8))
                        .toString()
                        .replace("-", "")
                        .substring(0, 16);
    }
}
