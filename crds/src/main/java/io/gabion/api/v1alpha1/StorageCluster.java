package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Categories;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Version;

/** The whole system: settings and health. There is one, named gabion. */
@ValidationRule(value = "self.metadata.name == 'gabion'", message = "there is one StorageCluster, named gabion")
@Group(GabionApi.GROUP)
@Version(GabionApi.VERSION)
@Plural("storageclusters")
@ShortNames("scl")
@Categories(GabionApi.CATEGORY)
@JsonClassDescription("The whole system: settings and health. There is one, named gabion.")
@AdditionalPrinterColumn(name = "Ready", jsonPath = ".status.conditions[?(@.type==\"Ready\")].status")
@AdditionalPrinterColumn(name = "Reason", jsonPath = ".status.conditions[?(@.type==\"Ready\")].reason")
@AdditionalPrinterColumn(name = "Version", jsonPath = ".status.version")
@AdditionalPrinterColumn(name = "Nodes", jsonPath = ".status.nodes")
@AdditionalPrinterColumn(name = "Volumes", jsonPath = ".status.volumes")
@AdditionalPrinterColumn(name = "Health", jsonPath = ".status.healthSummary")
@AdditionalPrinterColumn(
        name = "Age",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
@AdditionalPrinterColumn(name = "Rollout", jsonPath = ".status.rollout", priority = 1)
@AdditionalPrinterColumn(name = "Message", jsonPath = ".status.conditions[?(@.type==\"Ready\")].message", priority = 1)
public final class StorageCluster extends CustomResource<StorageClusterSpec, StorageClusterStatus> {
    /** Name of the only object of this kind. */
    public static final String NAME = "gabion";

    @Override
    protected StorageClusterSpec initSpec() {
        return new StorageClusterSpec();
    }

    /** Never null, so that an object that nobody looked at yet needs no special case. */
    @Override
    protected StorageClusterStatus initStatus() {
        return new StorageClusterStatus();
    }
}
