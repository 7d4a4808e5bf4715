package io.gabion.api.v1alpha1;

import static java.util.Objects.requireNonNull;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crdv2.generator.CRDPostProcessor;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceColumnDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.api.model.apiextensions.v1.ValidationRuleBuilder;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The one place for what the generator's annotations cannot say:
 *
 * <ul>
 *   <li>columns stand in the order of the annotations (the generator sorts them by path);
 *   <li>the bag of unknown fields of a class is not a property;
 *   <li>elements of lists and maps of strings have a length;
 *   <li>quantities, conditions and label selectors are classes of others: their lengths are limited here, which also bounds the
 *       cost of the rules; what a quantity looks like is a rule of the field, because a pattern would be shown to people;
 *       conditions are a map by type, so that two writers of one status do not overwrite each other;
 *   <li>a kind whose specification has required fields requires the specification.
 * </ul>
 */
final class DefinitionFinish implements CRDPostProcessor {
    private static final long MAX_QUANTITY_CHARACTERS = 32;
    private static final String QUANTITY = "^[0-9]+([.][0-9]+)?(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$";
    private static final String QUANTITY_HINT = "write a number and a unit, as in 10Gi (binary) or 10G (decimal);"
            + " the units are Ki, Mi, Gi, Ti, Pi and k, M, G, T, P";
    private static final String CONDITION_TYPE = "^[A-Za-z]+$";
    private static final Set<String> CONDITION_REQUIRED =
            Set.of("lastTransitionTime", "message", "reason", "status", "type");
    private static final Map<String, Long> CONDITION_LENGTHS =
            Map.of("type", 64L, "status", 16L, "reason", 128L, "message", 4096L, "lastTransitionTime", 64L);
    private static final long MAX_ELEMENT_CHARACTERS = 512;
    private static final long MAX_SELECTOR_ENTRIES = 32;
    private static final long MAX_LABEL_CHARACTERS = 320;

    @Override
    public HasMetadata process(HasMetadata made, String version) {
        CustomResourceDefinition crd = (CustomResourceDefinition) made;
        for (CustomResourceDefinitionVersion each : crd.getSpec().getVersions()) {
            orderColumns(crd.getSpec().getNames().getKind(), each.getAdditionalPrinterColumns());
            JSONSchemaProps root = each.getSchema().getOpenAPIV3Schema();
            JSONSchemaProps spec = named(root.getProperties(), "spec");
            if (!spec.getRequired().isEmpty()) {
                root.setRequired(List.of("spec"));
            }
            limit(root);
        }
        return crd;
    }

    private static void orderColumns(String kind, List<CustomResourceColumnDefinition> columns) {
        Class<?> type = Kinds.ALL.stream()
                .filter(k -> k.getSimpleName().equals(kind))
                .findFirst()
                .orElseThrow();
        List<String> names = Arrays.stream(type.getAnnotationsByType(AdditionalPrinterColumn.class))
                .map(AdditionalPrinterColumn::name)
                .toList();
        columns.sort(Comparator.comparingInt(c -> names.indexOf(c.getName())));
        for (CustomResourceColumnDefinition column : columns) {
            if (Integer.valueOf(0).equals(column.getPriority())) {
                column.setPriority(null);
            }
        }
    }

    private static void limit(@Nullable JSONSchemaProps schema) {
        if (schema == null) {
            return;
        }
        if (Boolean.TRUE.equals(schema.getXKubernetesIntOrString())) {
            schema.setMaxLength(MAX_QUANTITY_CHARACTERS);
            schema.setXKubernetesValidations(List.of(new ValidationRuleBuilder()
                    .withRule("string(self).matches('" + QUANTITY + "')")
                    .withMessage("not understood: " + QUANTITY_HINT)
                    // The API server does not show the value of such a field by itself.
                    .withMessageExpression("'\"' + string(self) + '\" is not understood: " + QUANTITY_HINT + "'")
                    .build()));
        }
        if (schema.getItems() != null) {
            limitElement(schema.getItems().getSchema());
        }
        if (schema.getAdditionalProperties() != null) {
            limitElement(schema.getAdditionalProperties().getSchema());
        }
        Map<String, JSONSchemaProps> properties = schema.getProperties();
        if (properties == null) {
            return;
        }
        properties.remove("getUnknown");
        properties.values().forEach(DefinitionFinish::limit);
        if (properties.containsKey("conditions")) {
            limitConditions(named(properties, "conditions"));
        }
        if (properties.containsKey("matchExpressions")) {
            limitSelector(properties);
        }
    }

    private static void limitElement(JSONSchemaProps element) {
        if ("string".equals(element.getType()) && element.getMaxLength() == null) {
            element.setMaxLength(MAX_ELEMENT_CHARACTERS);
        }
        limit(element);
    }

    private static void limitConditions(JSONSchemaProps conditions) {
        conditions.setXKubernetesListType("map");
        conditions.setXKubernetesListMapKeys(List.of("type"));
        JSONSchemaProps condition = conditions.getItems().getSchema();
        condition.setRequired(CONDITION_REQUIRED.stream().sorted().toList());
        Map<String, JSONSchemaProps> fields = condition.getProperties();
        CONDITION_LENGTHS.forEach((name, length) -> named(fields, name).setMaxLength(length));
        named(fields, "type").setPattern(CONDITION_TYPE);
        named(fields, "lastTransitionTime").setFormat("date-time");
    }

    private static void limitSelector(Map<String, JSONSchemaProps> selector) {
        JSONSchemaProps expressions = named(selector, "matchExpressions");
        expressions.setMaxItems(MAX_SELECTOR_ENTRIES);
        JSONSchemaProps expression = expressions.getItems().getSchema();
        expression.setRequired(List.of("key", "operator"));
        Map<String, JSONSchemaProps> fields = expression.getProperties();
        named(fields, "key").setMaxLength(MAX_LABEL_CHARACTERS);
        named(fields, "operator").setPattern("^(In|NotIn|Exists|DoesNotExist)$");
        named(fields, "values").setMaxItems(MAX_SELECTOR_ENTRIES);
        named(fields, "values").getItems().getSchema().setMaxLength(MAX_LABEL_CHARACTERS);
        JSONSchemaProps labels = named(selector, "matchLabels");
        labels.setMaxProperties(MAX_SELECTOR_ENTRIES);
        labels.getAdditionalProperties().getSchema().setMaxLength(MAX_LABEL_CHARACTERS);
    }

    private static JSONSchemaProps named(Map<String, JSONSchemaProps> properties, String name) {
        return requireNonNull(properties.get(name), () -> "the generator made no property " + name);
    }
}
