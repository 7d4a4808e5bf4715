package io.gabion.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Categories;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Version;

/** A node that holds copies of volumes; it has the name of the Kubernetes node. */
@Group(GabionApi.GROUP)
@Version(GabionApi.VERSION)
@Plural("storagenodes")
@ShortNames("snode")
@Categories(GabionApi.CATEGORY)
@JsonClassDescription("A node that holds copies of volumes; it has the name of the Kubernetes node.")
@AdditionalPrinterColumn(name = "Ready", jsonPath = ".status.conditions[?(@.type==\"Ready\")].status")
@AdditionalPrinterColumn(name = "Reason", jsonPath = ".status.conditions[?(@.type==\"Ready\")].reason")
@AdditionalPrinterColumn(name = "Schedulable", jsonPath = ".status.conditions[?(@.type==\"Schedulable\")].status")
@AdditionalPrinterColumn(name = "Disks", jsonPath = ".status.disksOnline")
@AdditionalPrinterColumn(name = "Used%", jsonPath = ".status.usedPercent", type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(name = "Version", jsonPath = ".status.softwareVersion")
@AdditionalPrinterColumn(
        name = "Age",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
@AdditionalPrinterColumn(name = "Domain", jsonPath = ".metadata.labels.topology\\.gabion\\.io/domain", priority = 1)
@AdditionalPrinterColumn(name = "Address", jsonPath = ".status.address.host", priority = 1)
@AdditionalPrinterColumn(
        name = "Primaries",
        jsonPath = ".status.primaries",
        priority = 1,
        type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(
        name = "Replicas",
        jsonPath = ".status.replicas",
        priority = 1,
        type = AdditionalPrinterColumn.Type.INTEGER)
public final class StorageNode extends CustomResource<StorageNodeSpec, StorageNodeStatus> {
    @Override
    protected StorageNodeSpec initSpec() {
        return new StorageNodeSpec();
    }

    /** Never null, so that an object that nobody looked at yet needs no special case. */
    @Override
    protected StorageNodeStatus initStatus() {
        return new StorageNodeStatus();
    }
}
